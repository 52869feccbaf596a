import { createHash } from 'node:crypto'
import MarkdownIt from 'markdown-it'
import sanitizeHtml, { type Attributes, type Tag } from 'sanitize-html'

/*
 * A README is what somebody typed: markdown-it makes HTML of it, and of that HTML only what stands in the lists below is left. Nothing
 * of it runs, looks like a part of the page around it, or fetches anything.
 */

const reader = new MarkdownIt({ html: true, linkify: true, maxNesting: 40 })

// A word with a full stop is more often a file than a site.
reader.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false })

/** Characters of one address. */
const longestAddress = 2_000

/** Characters of all addresses of a text: one that is written once can be referred to ten thousand times. */
const mostInAddresses = 200_000

const isLink = reader.validateLink
reader.validateLink = (address) => address.length <= longestAddress && isLink(address)

/** Paragraphs, rows, cells and the like of a text, opened and closed: a wide table makes ten of them of each character. */
const mostPieces = 100_000

/** Before every id, so that none is one of the page's own. */
const idPrefix = 'readme-'

const allowedTags = [
  ...['h3', 'h4', 'h5', 'h6', 'p', 'div', 'span', 'br', 'hr', 'blockquote', 'pre', 'code', 'kbd', 'samp', 'var'],
  ...['a', 'em', 'strong', 'b', 'i', 'u', 's', 'del', 'ins', 'mark', 'small', 'sub', 'sup', 'abbr', 'q', 'cite', 'dfn'],
  ...['ul', 'ol', 'li', 'dl', 'dt', 'dd', 'details', 'summary'],
  ...['table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td'],
]

const allowedAttributes = {
  a: ['href', 'rel'],
  abbr: ['title'],
  h3: ['id'],
  h4: ['id'],
  h5: ['id'],
  h6: ['id'],
  ol: ['start'],
  pre: ['tabindex'],
  table: ['tabindex'],
  th: ['align', 'colspan', 'rowspan'],
  td: ['align', 'colspan', 'rowspan'],
}

/** The page has the first heading, and the section that the text stands in the second. */
const headings: Record<string, string> = { h1: 'h3', h2: 'h4', h3: 'h5', h4: 'h6', h5: 'h6', h6: 'h6' }

/** What may be put into a page as it is. */
export function markdownToHtml(text: string): string {
  const key = createHash('sha256').update(text).digest('base64')
  const known = made.get(key)
  if (known !== undefined) {
    // The one that was asked for last is forgotten last.
    made.delete(key)
    made.set(key, known)
    return known
  }
  const html = sanitised(reader.render(text))
  remember(key, html)
  return html
}

/** What was made of a text stays for a while: the same few are read again and again. Characters of all together. */
const mostRemembered = 8_000_000
const made = new Map<string, string>()
let remembered = 0

function remember(key: string, html: string): void {
  if (html.length > mostRemembered / 4) return
  made.set(key, html)
  remembered += html.length
  for (const [oldest, its] of made) {
    if (remembered <= mostRemembered) return
    made.delete(oldest)
    remembered -= its.length
  }
}

function sanitised(html: string): string {
  const places = new Places()
  let openLinks = 0
  const linkTo = (address: string | undefined): Attributes | undefined => {
    const href = addressFrom(address)
    if (href === undefined) return undefined
    return href.startsWith('#') ? { href } : { href, rel: 'noopener nofollow' }
  }
  return sanitizeHtml(html, {
    allowedTags,
    allowedAttributes,
    allowedSchemes: ['http', 'https', 'mailto'],
    allowProtocolRelative: false,
    disallowedTagsMode: 'discard',
    nonTextTags: [
      ...['script', 'style', 'textarea', 'option', 'xmp', 'noscript', 'noembed', 'noframes', 'iframe', 'template'],
      ...['svg', 'math', 'title', 'object', 'select'],
    ],
    nestingLimit: 60,
    enforceHtmlBoundary: false,
    parseStyleAttributes: false,
    onOpenTag: (name) => {
      if (name === 'a') openLinks += 1
    },
    onCloseTag: (name) => {
      if (name === 'a') openLinks -= 1
    },
    transformTags: {
      a: (_, { href }): Tag => {
        // A link within a link would end the one around it.
        const attribs = openLinks > 1 ? undefined : linkTo(href)
        return attribs ? { tagName: 'a', attribs } : { tagName: 'span', attribs: {} }
      },
      img: (_, { src, alt }): Tag => {
        const attribs = openLinks > 0 || src?.startsWith('#') ? undefined : linkTo(src)
        const text = alt?.trim() || 'Image'
        return attribs ? { tagName: 'a', attribs, text } : { tagName: 'span', attribs: {}, text }
      },
      ol: (_, { start }): Tag => ({
        tagName: 'ol',
        attribs: /^\d{1,6}$/.test(start ?? '') ? { start: start ?? '' } : {},
      }),
      // What is wider than a phone is scrolled, also with the keyboard.
      pre: (): Tag => ({ tagName: 'pre', attribs: { tabindex: '0' } }),
      table: (): Tag => ({ tagName: 'table', attribs: { tabindex: '0' } }),
      th: (_, attributes) => ({ tagName: 'th', attribs: cell(attributes) }),
      td: (_, attributes) => ({ tagName: 'td', attribs: cell(attributes) }),
      ...Object.fromEntries(
        Object.entries(headings).map(([from, to]) => [
          from,
          (_: string, { id }: Attributes): Tag => ({ tagName: to, attribs: places.take(id) }),
        ]),
      ),
    },
  })
}

/** The ids of a text, each once. */
class Places {
  readonly #taken = new Set<string>()

  take(id: string | undefined): Attributes {
    const place = id === undefined ? '' : placeOf(id)
    if (place === '' || this.#taken.has(place)) return {}
    this.#taken.add(place)
    return { id: place }
  }
}

function placeOf(id: string): string {
  const plain = slug(id)
  return plain === '' ? '' : idPrefix + plain
}

/** `What's new?` → `whats-new`, as others make places of headings. */
function slug(text: string): string {
  const words = text.slice(0, 200).toLowerCase().normalize('NFC')
  return words
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-')
}

// Before anything is made of them, which would hold up everybody else for seconds.
reader.core.ruler.after('block', 'pieces', (state) => {
  if (state.tokens.length <= mostPieces) return
  const whole = new state.Token('code_block', 'code', 0)
  whole.content = state.src
  state.tokens = [whole]
})

// Headings get their places here, while their text is at hand.
reader.core.ruler.push('places', ({ tokens }) => {
  for (const [index, token] of tokens.entries()) {
    if (token.type !== 'heading_open') continue
    const inline = tokens[index + 1]?.children ?? []
    const text = inline.map(({ type, content }) => (type === 'html_inline' ? '' : content)).join('')
    token.attrSet('id', text)
  }
})

// Before there is HTML of it, which would be as long as all addresses together.
reader.core.ruler.push('addresses', ({ tokens }) => {
  let sum = 0
  for (const token of tokens.flatMap(({ children }) => children ?? [])) {
    token.attrs = (token.attrs ?? []).filter(([name, value]) => {
      if (name !== 'href' && name !== 'src') return name === 'alt'
      sum += String(value).length
      return sum <= mostInAddresses
    })
  }
})

/**
 * An address that a text may lead to; undefined where it is anything else. Addresses without a scheme meant a place in some repository,
 * and here would lead to one of our own pages.
 */
function addressFrom(text: string | undefined): string | undefined {
  if (text === undefined || text.length > longestAddress) return undefined
  if (text.startsWith('#')) {
    const place = placeOf(decoded(text.slice(1)))
    return place === '' ? undefined : `#${encodeURIComponent(place)}`
  }
  if (!/^(?:https?:\/\/|mailto:)/i.test(text)) return undefined
  const url = URL.parse(text)
  return url && ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function cell({ style, align, colspan, rowspan }: Attributes): Attributes {
  const side = /^text-align:(left|center|right)$/.exec(style ?? '')?.[1] ?? align
  const attributes: Attributes = {}
  if (side && ['left', 'center', 'right'].includes(side)) attributes.align = side
  if (colspan && /^\d{1,2}$/.test(colspan)) attributes.colspan = colspan
  if (rowspan && /^\d{1,2}$/.test(rowspan)) attributes.rowspan = rowspan
  return attributes
}
