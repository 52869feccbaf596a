import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  fileName,
  ownerKey,
  ownerName,
  packageName,
  possibleFile,
  possiblePackage,
  possibleVersion,
  versionName,
} from './names.ts'
import { Problem } from './problems.ts'

function problemOf(attempt: () => unknown): Problem {
  try {
    attempt()
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const outsideAscii = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => /[^ -~]/.test(text))

describe('package names', () => {
  test.each(['a', '7', 'Foo', '...', '.hidden', '--', 'a-', '-a', '_-', 'c++', 'a_b.c-d+e', 'a'.repeat(255)])(
    '%p is allowed',
    (text) => {
      expect(packageName(text)).toMatchObject({ text, key: text.toLowerCase() })
    },
  )

  test.each([
    '',
    '..',
    '.',
    '-',
    '_',
    '+',
    'a b',
    ' a',
    'a/b',
    'a\\b',
    'a:b',
    'a@b',
    'a\n',
    'é',
    '\u212a',
    'ſſ',
    'a\u0000',
    '\ufffda',
    'a'.repeat(256),
  ])('%p is not', (text) => {
    const problem = problemOf(() => packageName(text))
    expect([problem.code, problem.message]).toEqual(['invalid-name', 'invalid package name'])
    expect(possiblePackage(text)).toBeUndefined()
  })

  test('letter case does not tell them apart', () => {
    expect(possiblePackage('FOO')).toBe(packageName('foo').key)
    expect(packageName('FoO').text).toBe('FoO')
  })

  test('none is outside ASCII', () => {
    fc.assert(fc.property(outsideAscii, (text) => possiblePackage(text) === undefined))
  })
})

describe('file names', () => {
  test.each([
    'a',
    '-',
    '...',
    '.env',
    'A.txt',
    'a b',
    'a;rm -rf $HOME',
    '_-+=:;.()[]{}~!@#$%^&',
    '%2F',
    '[',
    '^',
    ']',
    'x'.repeat(255),
  ])('%p is allowed', (text) => {
    expect(fileName(text)).toMatchObject({ text, key: text.toLowerCase() })
  })

  test.each([
    '',
    '.',
    '..',
    ' ',
    ' a',
    'a ',
    'a/b',
    'a\\b',
    'a?',
    'a|b',
    '<a',
    'a>',
    'a*',
    'a,b',
    "a'b",
    'a"b',
    'a`b',
    'a\tb',
    'a\n',
    '\u007f',
    'ü.txt',
    '\ufffd',
    'x'.repeat(256),
  ])('%p is not', (text) => {
    const problem = problemOf(() => fileName(text))
    expect([problem.code, problem.message]).toEqual(['invalid-name', 'invalid filename'])
    expect(possibleFile(text)).toBeUndefined()
  })

  test('letter case does not tell them apart', () => {
    expect(possibleFile('README.TXT')).toBe(fileName('readme.txt').key)
  })

  test('none is outside ASCII', () => {
    fc.assert(fc.property(outsideAscii, (text) => possibleFile(text) === undefined))
  })
})

describe('versions', () => {
  test.each([
    '1.0.0',
    'latest',
    'versions',
    'v1 beta',
    '...',
    '1..2',
    '"quoted"',
    "it's",
    'a?b#c%d',
    '<b>',
    'größe',
    '版本 1',
    '🚢',
    '\ue000',
    'e\u0301',
    '🚢'.repeat(255),
    '\ufb2c'.repeat(255),
  ])('%p is allowed', (text) => {
    expect(versionName(text).text).toBe(text)
    expect(possibleVersion(text)).toBe(versionName(text).key)
  })

  test.each([
    ['nothing', ''],
    ['one dot', '.'],
    ['two dots', '..'],
    ['a slash', '1/2'],
    ['a backslash', '1\\2'],
    ['a space before', ' 1'],
    ['a space behind', '1 '],
    ['only a space', ' '],
    ['a no-break space behind', '1\u00a0'],
    ['an ideographic space before', '\u30001'],
    ['NUL', '1\u0000'],
    ['a line feed inside', '1\n2'],
    ['a line feed behind', '1\n'],
    ['NEL', '1\u00852'],
    ['a zero-width space', '1\u200b2'],
    ['a zero-width joiner', '1\u200d2'],
    ['a byte order mark', '\ufeff1'],
    ['a soft hyphen', '1\u00ad2'],
    ['right-to-left override', '1\u202e2'],
    ['an isolate', '1\u20662'],
    ['a tag character', '1\u{e0041}'],
    ['a line separator', '1\u20282'],
    ['a paragraph separator', '1\u20292'],
    ['a noncharacter', '1\uffff'],
    ['a noncharacter far up', '1\u{10ffff}'],
    ['an unassigned code point', '1\u0378'],
    ['a high surrogate alone', '1\ud83d'],
    ['a low surrogate alone', '\udea21'],
    ['surrogates in the wrong order', '\udea2\ud83d'],
    ['what stands for broken UTF-8', '1\ufffd'],
    ['256 characters', '1'.repeat(256)],
    ['256 code points', '🚢'.repeat(256)],
    ['255 code points and half a pair', `${'🚢'.repeat(255)}\ud83d`],
  ])('with %s is not', (_, text) => {
    const problem = problemOf(() => versionName(text))
    expect([problem.code, problem.message]).toEqual(['invalid-name', 'invalid package version'])
    expect(possibleVersion(text)).toBeUndefined()
  })

  test.each([
    ['letter case', 'V1-RC', 'v1-rc'],
    ['composed and decomposed', 'é', 'e\u0301'],
    ['both at once', 'É', 'e\u0301'],
    ['the Kelvin sign', '1\u212a', '1k'],
    ['a capital outside the basic plane', '\u{10400}', '\u{10428}'],
    ['a capital sigma at the end', 'ΟΔΟΣ', 'οδοσ'],
    ['a dotted capital I', 'İ', 'i\u0307'],
    ['a capital sharp s', 'ẞ', 'ß'],
  ])('are one: %s', (_, one, other) => {
    expect(versionName(one).key).toBe(versionName(other).key)
  })

  test.each([
    ['a final sigma', 'οδος', 'ΟΔΟΣ'],
    ['a dotted capital I', 'İ', 'i'],
    ['a dotless small i', 'ı', 'I'],
    ['sharp s', 'ß', 'ss'],
    ['compatibility forms', 'ﬁ', 'fi'],
    ['full-width digits', '１', '1'],
  ])('are two: %s', (_, one, other) => {
    expect(versionName(one).key).not.toBe(versionName(other).key)
  })

  test('the limit counts the text as it was given, not its key', () => {
    // Decomposed it is too long, though its key would be short enough; the other way round it is not.
    expect(possibleVersion('e\u0301'.repeat(128))).toBeUndefined()
    expect(versionName('\ufb2c'.repeat(255)).key).toHaveLength(3 * 255)
  })

  const anyVersion = fc.string({ unit: 'binary', maxLength: 300 })

  test('one code point is folded the same wherever it stands', () => {
    const starters = fc.constantFrom('Σ', 'σ', 'ς', 'İ', 'I', 'ı', 'A', '1', 'ß', 'ẞ', 'Ǆ', 'ǅ', 'K')
    fc.assert(
      fc.property(fc.array(starters, { minLength: 1, maxLength: 50 }), (letters) => {
        const alone = letters.map((letter) => versionName(letter).key)
        expect<string>(versionName(letters.join('')).key).toBe(alone.join(''))
      }),
    )
  })

  test('of any text, what is allowed is safe in a link and comes back from UTF-8', () => {
    fc.assert(
      fc.property(anyVersion, (text) => {
        const key = possibleVersion(text)
        if (key === undefined) return
        expect([...text].length).toBeLessThanOrEqual(255)
        expect(new TextDecoder().decode(new TextEncoder().encode(text))).toBe(text)
        expect(text).not.toMatch(/[/\\\p{Cc}\p{Cf}\p{Cs}]/u)
        expect(key).not.toMatch(/^\.{0,2}$|[/\\]|^\p{White_Space}|\p{White_Space}$/u)
        expect(possibleVersion(text.normalize('NFD')) ?? key).toBe(key)
      }),
    )
  })
})

describe('owner names', () => {
  test.each(['ada', 'Ada', 'a', '7', 'a-b_c.d', 'api2', 'my-api', 'keys', 'x.keys.y', 'o'.repeat(40)])(
    '%p is allowed',
    (text) => {
      expect(ownerName(text)).toMatchObject({ text, key: text.toLowerCase() })
    },
  )

  test.each(['', '-a', 'a-', '.a', 'a.', '_', 'a--b', 'a-.b', 'a..b', 'a b', 'a/b', 'a+b', 'ä', 'a\n', 'o'.repeat(41)])(
    '%p is not',
    (text) => {
      const problem = problemOf(() => ownerName(text))
      expect(problem.code).toBe('unprocessable')
      expect(problem.message).toStartWith('a name must be 1 to 40 letters and digits')
      expect(ownerKey(text)).toBeUndefined()
    },
  )

  test.each(['api', 'API', 'v2', 'ghost', 'Ghost', 'gitea-actions', 'favicon.ico', 'robots.txt', 'new', 'packages'])(
    '%p is reserved, but can be looked up',
    (text) => {
      const problem = problemOf(() => ownerName(text))
      expect([problem.code, problem.message]).toEqual(['unprocessable', `the name "${text.toLowerCase()}" is reserved`])
      expect<string | undefined>(ownerKey(text)).toBe(text.toLowerCase())
    },
  )

  test.each(['ada.keys', 'ada.GPG', 'ada.rss', 'ada.atom', 'a-b.png'])('%p has a reserved ending', (text) => {
    expect(problemOf(() => ownerName(text)).message).toMatch(/^names ending in "\.[a-z]+" are reserved$/)
  })

  test('.well-known is refused in one way or another', () => {
    expect(problemOf(() => ownerName('.well-known')).code).toBe('unprocessable')
  })

  test('long text is judged at once', () => {
    expect(ownerKey(`${'a-'.repeat(500_000)}!`)).toBeUndefined()
  })
})
