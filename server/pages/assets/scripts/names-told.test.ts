import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { longestName, possibleFile, possiblePackage, possibleVersion } from '../../../names.ts'
import { cleanedFileName, fileFault, numbered, packageFault, versionFault } from './names-told.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom(...'aZ0-_.+ ~$üß/\\?\u200b\u0000'), maxLength: 300 }),
)

test('something is wrong with a name exactly where the registry would refuse it', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(packageFault(text) === undefined).toBe(possiblePackage(text) !== undefined)
      expect(versionFault(text) === undefined).toBe(possibleVersion(text) !== undefined)
      expect(fileFault(text) === undefined).toBe(possibleFile(text) !== undefined)
    }),
  )
})

test('a cleaned name is always allowed, and an allowed one stays nearly what it is', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 2, max: 9_999 }), (text, number) => {
      const cleaned = cleanedFileName(text)
      expect(possibleFile(cleaned)).toBeDefined()
      expect(possibleFile(numbered(cleaned, number))).toBeDefined()
      expect(numbered(cleaned, number)).not.toBe(cleaned)
    }),
  )
})

test.each([
  ['größe?.txt', 'grosse_.txt'],
  ['café menu.pdf', 'cafe menu.pdf'],
  [' a / b ', 'a _ b'],
  ['日本.tar.gz', '_.tar.gz'],
  ['..', 'file'],
  [`${'x'.repeat(300)}.tar.gz`, `${'x'.repeat(longestName - 7)}.tar.gz`],
])('%s is offered as %s', (name, offered) => {
  expect(cleanedFileName(name)).toBe(offered)
})

test.each([
  ['tool.tar.gz', 'tool-2.tar.gz'],
  ['README', 'README-2'],
  ['.profile', '.profile-2'],
  [`${'x'.repeat(255)}`, `${'x'.repeat(253)}-2`],
])('a second %s is offered as %s', (name, offered) => {
  expect(numbered(name, 2)).toBe(offered)
})

test.each([
  [packageFault('töol'), '“ö” is not allowed in the name of a package. Letters, digits, “_”, “-”, “+” and “.” are.'],
  [versionFault('1/2\u200b'), '“/” and U+200B are not allowed in a version.'],
  [versionFault(' 1'), 'A version has no space at its beginning or end.'],
  [fileFault('x'.repeat(256)), 'The name of a file has 255 characters at most; this one has 256.'],
])('%s', (told, expected) => {
  expect(told).toBe(expected)
})
