import { html } from 'hono/html'
import type { Html } from './schema-text.ts'

/** What descriptions may hold: paragraphs, lists of lines that begin with `- `, `code` and **what matters**. Anything else is text. */
export function prose(text: string): Html[] {
  const blocks = text.trim().split(/\n{2,}/)
  return blocks.filter(Boolean).map((block) => {
    const lines = block.split('\n')
    const firstItem = lines.findIndex((line) => line.startsWith('- '))
    const items = firstItem < 0 ? [] : lines.slice(firstItem)
    const before = firstItem < 0 ? lines : lines.slice(0, firstItem)
    const paragraph = before.length > 0 ? html`<p>${inline(before.join('\n'))}</p>` : ''
    if (items.length === 0) return html`${paragraph}`
    const whole = items
      .join('\n')
      .split(/\n?^- /m)
      .filter(Boolean)
    return html`${paragraph}<ul>${whole.map((item) => html`<li>${inline(item)}</li>`)}</ul>`
  })
}

/** Marks in a line; what they hold is text. */
function inline(text: string): (Html | string)[] {
  return text.split(/(``.+?``|`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith('**') && part.endsWith('**') && part.length > 4) return html`<b>${part.slice(2, -2)}</b>`
    const code = part.match(/^(`{1,2})(.+)\1$/)?.[2]
    return code === undefined ? part : html`<code>${code}</code>`
  })
}
