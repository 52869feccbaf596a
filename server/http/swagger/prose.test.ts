import { describe, expect, test } from 'bun:test'
import { prose } from './prose.ts'
import { type Shown, typeText } from './schema-text.ts'

describe('a description', () => {
  test.each([
    ['One.\n\nTwo.', '<p>One.</p><p>Two.</p>'],
    ['Such:\n- a\n- b\n  and more', '<p>Such:</p><ul><li>a</li><li>b\n  and more</li></ul>'],
    ['- a - b', '<ul><li>a - b</li></ul>'],
    ['`code` and **bold**', '<p><code>code</code> and <b>bold</b></p>'],
    ['``a`b``', '<p><code>a`b</code></p>'],
    ['`<script>`', '<p><code>&lt;script&gt;</code></p>'],
    ['**"<b>"**', '<p><b>&quot;&lt;b&gt;&quot;</b></p>'],
    ['<img src=x onerror=alert(1)> & `', '<p>&lt;img src=x onerror=alert(1)&gt; &amp; `</p>'],
    ['', ''],
  ])('%j', (text, expected) => {
    expect(prose(text).join('')).toBe(expected)
  })
})

describe('a type', () => {
  test.each<[Shown, string]>([
    [{ type: 'string', minLength: 1, maxLength: 255 }, 'text, 1 to 255 characters'],
    [{ type: 'string', minLength: 1 }, 'text, not empty'],
    [{ type: 'string', minLength: 16 }, 'text, 16 characters at least'],
    [{ type: 'string', maxLength: 255 }, 'text, 255 characters at most'],
    [{ type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 20 }, 'list of text, 1 to 20'],
    [{ type: ['string', 'null'], format: 'date-time' }, 'time or <code>null</code>'],
    [{ type: 'integer', minimum: 1, maximum: 50, default: 30 }, 'whole number, from 1, up to 50, else 30'],
    [{ type: 'array', items: { $ref: '#/components/schemas/User' } }, 'list of <a href="#type-User">User</a>'],
    [{ enum: ['a', '', null] }, '<code>a</code>, <code>&quot;&quot;</code>, <code>null</code>'],
    [{ anyOf: [{ $ref: '#/x/Team' }, { type: 'null' }] }, '<a href="#type-Team">Team</a> or <code>null</code>'],
    [{ type: 'object', additionalProperties: { type: 'integer' } }, 'object of whole number'],
    [{ type: 'string', pattern: '<a>' }, 'text, like &lt;a&gt;'],
    [{}, 'anything'],
  ])('%j', (schema, expected) => {
    expect(String(typeText(schema))).toBe(expected)
  })
})
