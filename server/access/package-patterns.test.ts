import { describe, expect, test } from 'bun:test'
import { array, assert, constantFrom, integer, oneof, property, string } from 'fast-check'
import { Problem } from '../problems.ts'
import {
  isWithin,
  limitFrom,
  namePattern,
  type PackagePattern,
  patternsAt,
  readPattern,
  storedLimit,
  typedPatterns,
} from './package-patterns.ts'

const acme = { id: 7, name: 'Acme' }

describe('a pattern of names', () => {
  test.each([
    ['tool', 'tool'],
    ['Tool-*', 'tool-*'],
    ['**a***b**', '*a*b*'],
    ['*', '*'],
    ['a.b_c+d-e', 'a.b_c+d-e'],
    ['x'.repeat(255), 'x'.repeat(255)],
    ['x'.repeat(256), undefined],
    ['', undefined],
    ['a b', undefined],
    ['a/b', undefined],
    ['a,b', undefined],
    ['a?', undefined],
    ['a%', undefined],
    ['ä', undefined],
    ['tool\n', undefined],
    ['Kelvin\u212a', undefined],
  ])('%j is %j', (text, name) => {
    expect(namePattern(text)).toBe(name)
  })

  test('with an owner before it', () => {
    expect(readPattern('acme/Tool-*')).toEqual({ owner: 'acme', name: 'tool-*' })
    expect(readPattern('*/tool')).toEqual({ owner: '*', name: 'tool' })
    expect(readPattern('tool')).toEqual({ owner: undefined, name: 'tool' })
    for (const text of ['/tool', 'acme/', 'a/b/c', '/']) expect(readPattern(text)).toBeUndefined()
  })
})

/** What is said against some patterns. */
function against(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof Problem && error.code === 'unprocessable') return error.message
    throw error
  }
  return ''
}

describe('what is typed', () => {
  test('for a token of a person names owners', () => {
    expect(typedPatterns(['acme/Tool-*', '*/lib'])).toEqual([
      { owner: 'acme', name: 'tool-*' },
      { owner: null, name: 'lib' },
    ])
    expect(against(() => typedPatterns(['acme/x', 'tool']))).toContain('names no owner: write acme/tool, or */tool')
  })

  test('for a token of an owner may name him, and nobody else', () => {
    expect(patternsAt(acme, ['tool-*', 'ACME/Lib', 'lib'])).toEqual([
      { ownerId: 7, name: 'tool-*' },
      { ownerId: 7, name: 'lib' },
    ])
    expect(against(() => patternsAt(acme, ['else/x']))).toContain('is of another owner than Acme')
    expect(against(() => patternsAt(acme, ['*/x']))).toContain('is of another owner than Acme')
  })

  test('is one pattern at least, fifty at most, and quoted no longer than a sentence can hold', () => {
    for (const read of [typedPatterns, (texts: string[]) => patternsAt(acme, texts)]) {
      expect(against(() => read([]))).toContain('name one at least')
      expect(against(() => read(Array.from({ length: 51 }, () => 'acme/x')))).toContain('50 at most')
      expect(against(() => read(Array.from({ length: 50 }, () => 'acme/x')))).toBe('')
      expect(against(() => read(['ö'.repeat(1_000_000)])).length).toBeLessThan(300)
    }
  })

  test('whatever it is, is a pattern or refused', () => {
    assert(
      property(array(string({ unit: 'binary' }), { maxLength: 3 }), (texts) => {
        for (const read of [() => typedPatterns(texts), () => patternsAt(acme, texts)]) against(read)
      }),
    )
  })
})

describe('what a token is limited to', () => {
  const limit: PackagePattern[] = [
    { ownerId: 7, name: 'tool-*' },
    { ownerId: null, name: 'lib' },
  ]

  test.each([
    [7, 'tool-', true],
    [7, 'tool-a', true],
    [7, 'tool', false],
    [7, 'a-tool-b', false],
    [7, 'lib', true],
    [8, 'lib', true],
    [8, 'library', false],
    [8, 'tool-a', false],
    [7, '', false],
  ])('at owner %d the package %j: %p', (ownerId, key, isIn) => {
    expect(isWithin(limit, { ownerId, key })).toBe(isIn)
  })

  test('is nothing where the list is empty, and everything where there is none', () => {
    expect(isWithin([], { ownerId: 7, key: 'tool' })).toBe(false)
    expect(isWithin(null, { ownerId: 7, key: 'tool' })).toBe(true)
  })

  test('is read as it was stored, and is nothing where it cannot be read', () => {
    expect(limitFrom(storedLimit(limit))).toEqual(limit)
    expect(limitFrom(storedLimit([]))).toEqual([])
    expect(limitFrom(storedLimit(null))).toBeNull()
    for (const broken of ['', 'null', '{}', '[1]', '[{"ownerId":"7","name":"*"}]', '[{"name":"*"}]', '["*"]', '[{']) {
      expect(limitFrom(broken)).toEqual([])
    }
    assert(property(string(), (text) => limitFrom(text) !== null))
  })

  /** By trying every way to share out the text among the stars. */
  function isLike(pattern: string, text: string): boolean {
    if (pattern === '') return text === ''
    const rest = pattern.slice(1)
    if (pattern.startsWith('*')) return isLike(rest, text) || (text !== '' && isLike(pattern, text.slice(1)))
    return text.startsWith(pattern.slice(0, 1)) && isLike(rest, text.slice(1))
  }

  const sign = constantFrom('a', 'b', '_', '.', '+', '-', '1')
  const key = string({ unit: sign, maxLength: 8 })
  const pattern = string({ unit: oneof({ weight: 3, arbitrary: sign }, constantFrom('*')), minLength: 1, maxLength: 8 })

  test('is decided as a plain reading of the patterns decides it', () => {
    assert(
      property(array(pattern, { maxLength: 3 }), key, integer({ min: 1, max: 2 }), (names, key, ownerId) => {
        const its = names.map((name, at) => ({ ownerId: at === 0 ? null : at, name: namePattern(name) ?? '' }))
        const expected = its.some((one) => (one.ownerId === null || one.ownerId === ownerId) && isLike(one.name, key))
        return isWithin(its, { ownerId, key }) === expected
      }),
      { numRuns: 3_000 },
    )
  })

  test('is decided at once, however many stars there are', () => {
    const many = [{ ownerId: null, name: `${'*a'.repeat(127)}b` }]
    const begun = performance.now()
    for (let time = 0; time < 100; time += 1) expect(isWithin(many, { ownerId: 1, key: 'a'.repeat(255) })).toBe(false)
    expect(performance.now() - begun).toBeLessThan(2_000)
  })
})
