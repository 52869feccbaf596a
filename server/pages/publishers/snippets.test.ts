import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { namePattern } from '../../access/package-patterns.ts'
import { possiblePackage } from '../../names.ts'
import { exampleOf } from '../components/commands.ts'
import { snippetFor } from './snippets.ts'

test('the manual has what the pages give', async () => {
  const manual = await Bun.file(new URL('../../../docs/trusted-publishing.md', import.meta.url)).text()
  const place = { address: 'https://packages.example.com', owner: 'acme', packages: ['tool-*'] }
  for (const kind of ['github', 'gitlab', 'other'] as const) expect(manual).toContain(snippetFor(kind, place).text)
})

test('of a pattern a name is made that a package can have, and that it lets through', () => {
  expect(['*', 'tool-*', '*-cli', 'tool', 'a', '+'].map(exampleOf)).toEqual([
    'example',
    'tool-example',
    'example-cli',
    'tool',
    'a',
    '+example',
  ])
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'B', '1', '-', '.', '*', '+'), minLength: 1, maxLength: 20 }),
      (text) => {
        const pattern = namePattern(text) ?? '*'
        fc.pre(pattern !== '..')
        expect(possiblePackage(exampleOf(pattern))).toBeDefined()
      },
    ),
  )
})
