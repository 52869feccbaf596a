import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { HOTP, Secret, TOTP, URI } from 'otpauth'
import { newRecoveryCodes, newTotpSecret, recoveryKey, totpAddress, totpStep } from './totp.ts'

/** The secret of RFC 6238 appendix B and RFC 4226 appendix D: `12345678901234567890`. */
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

/** What the authenticator shows at a step. */
const shownAt = (step: number, of = secret) => HOTP.generate({ secret: Secret.fromBase32(of), counter: step })

describe('a code', () => {
  // RFC 6238 appendix B, SHA-1: of its eight digits the last six.
  test.each([
    [59, '287082', 0x1],
    [1_111_111_109, '081804', 0x23523ec],
    [1_111_111_111, '050471', 0x23523ed],
    [1_234_567_890, '005924', 0x273ef07],
    [2_000_000_000, '279037', 0x3f940aa],
    [20_000_000_000, '353130', 0x27bc86aa],
  ])('at second %d is %s', (second, code, step) => {
    expect(totpStep(secret, code, second * 1000, null)).toBe(step)
  })

  // RFC 4226 appendix D: the codes of steps 0 to 9.
  const codes = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ')
  const middleOf5 = 5 * 30_000 + 15_000

  test.each([
    { step: 3, counts: undefined },
    { step: 4, counts: 4 },
    { step: 5, counts: 5 },
    { step: 6, counts: 6 },
    { step: 7, counts: undefined },
  ])('of step $step counts in step 5 as $counts', ({ step, counts }) => {
    expect(totpStep(secret, codes[step] ?? '', middleOf5, null)).toBe(counts)
  })

  test.each([
    ['the first millisecond of the step before', 4 * 30_000, 5],
    ['the last one of the step after', 7 * 30_000 - 1, 5],
    ['just before that', 4 * 30_000 - 1, undefined],
    ['just after that', 7 * 30_000, undefined],
  ])('of step 5, at %s', (_, now, counts) => {
    expect(totpStep(secret, codes[5] ?? '', now, null)).toBe(counts)
  })

  test.each([
    { last: null, counts: [4, 5, 6] },
    { last: 3, counts: [4, 5, 6] },
    { last: 4, counts: [undefined, 5, 6] },
    { last: 5, counts: [undefined, undefined, 6] },
    { last: 6, counts: [undefined, undefined, undefined] },
    // The server's clock was put back.
    { last: 1000, counts: [undefined, undefined, undefined] },
  ])('counts only after the step of the last one: $last', ({ last, counts }) => {
    expect<readonly (number | undefined)[]>(
      [4, 5, 6].map((step) => totpStep(secret, codes[step] ?? '', middleOf5, last)),
    ).toEqual(counts)
  })

  test('of the very first step counts, and there is none before', () => {
    expect(totpStep(secret, codes[0] ?? '', 0, null)).toBe(0)
    expect(totpStep(secret, codes[1] ?? '', 0, null)).toBe(1)
    expect(totpStep(secret, shownAt(-1), 0, null)).toBeUndefined()
  })

  test('is used up, also where two steps next to each other share it', () => {
    // Found by trying: one pair of steps in a million.
    const step = 910_737
    const code = '911617'
    expect([shownAt(step), shownAt(step + 1)]).toEqual([code, code])
    expect(totpStep(secret, code, step * 30_000, null)).toBe(step + 1)
    for (const now of [step, step + 1, step + 2]) {
      expect(totpStep(secret, code, now * 30_000, step + 1)).toBeUndefined()
    }
  })

  const right = codes[5] ?? ''
  test.each([
    `${right.slice(0, 3)} ${right.slice(3)}`,
    ` ${right}\n`,
    [...right].join(' '),
    right.replace('4', '4\u00a0'),
  ])('is read with spaces: %j', (typed) => {
    expect(totpStep(secret, typed, middleOf5, null)).toBe(5)
  })

  test.each([
    '',
    ' ',
    right.slice(1),
    `${right}0`,
    `0${right}`,
    `+${right.slice(1)}`,
    `${right}.0`,
    `-${right}`,
    `${right.slice(0, 3)}-${right.slice(3)}`,
    '２５４６７６',
    '٢٥٤٦٧٦',
    '1e5000',
    'abcdef',
    `${right}\u0000`,
  ])('is six digits and nothing else: not %j', (typed) => {
    expect(totpStep(secret, typed, middleOf5, null)).toBeUndefined()
  })

  test('of a real secret is taken exactly once, in any order of tries', () => {
    const tries = fc.array(fc.record({ wait: fc.nat(70_000), off: fc.integer({ min: -2, max: 2 }) }), { maxLength: 30 })
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.nat(2 ** 40), tries, (bytes, start, list) => {
        const own = new Secret({ buffer: bytes.slice().buffer }).base32
        const taken = new Set<string>()
        let now = start
        let last: number | null = null
        for (const { wait, off } of list) {
          now += wait
          const present = Math.floor(now / 30_000)
          const step: number = Math.max(present + off, 0)
          const code = shownAt(step, own)
          const found = totpStep(own, code, now, last)
          // Steps whose codes happen to agree are another test's.
          const near = [-1, 0, 1]
            .map((delta) => present + delta)
            .filter((one) => one >= 0 && shownAt(one, own) === code)
          fc.pre(near.length <= 1 && (near.length === 0 || near[0] === step))
          const counts: boolean = Math.abs(step - present) <= 1 && step > (last ?? -1)
          expect(found).toBe(counts ? step : undefined)
          if (found === undefined) continue
          expect(taken.has(`${found}`)).toBeFalse()
          taken.add(`${found}`)
          last = found
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('a new secret', () => {
  test('has 160 bits in base32, and is another one each time', () => {
    const secrets = Array.from({ length: 100 }, newTotpSecret)
    for (const one of secrets) expect(one).toMatch(/^[A-Z2-7]{32}$/)
    expect(new Set(secrets).size).toBe(100)
  })

  test('works', () => {
    const own = newTotpSecret()
    const now = 1_800_000_000_000
    const code = TOTP.generate({ secret: Secret.fromBase32(own), timestamp: now })
    expect(totpStep(own, code, now, null)).toBe(60_000_000)
  })
})

describe('the address for an authenticator', () => {
  test('says everything', () => {
    expect(totpAddress({ secret, account: 'ada', issuer: 'packages.example.com' })).toBe(
      `otpauth://totp/packages.example.com:ada?issuer=packages.example.com&secret=${secret}&algorithm=SHA1&digits=6&period=30`,
    )
  })

  test('has one colon between issuer and account, whatever they are', () => {
    const address = totpAddress({ secret, account: 'a:b?secret=x', issuer: 'localhost:3000 & co' })
    expect(address).toStartWith('otpauth://totp/localhost%203000%20%26%20co:a%20b%3Fsecret%3Dx?')
    expect(URI.parse(address)).toMatchObject({ issuer: 'localhost 3000 & co', label: 'a b?secret=x' })
  })

  test('is read back as what it was made from', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,40}$/)
    fc.assert(
      fc.property(name, name, (account, issuer) => {
        const own = newTotpSecret()
        const read = URI.parse(totpAddress({ secret: own, account, issuer }))
        expect(read).toBeInstanceOf(TOTP)
        expect(read).toMatchObject({ issuer, label: account, algorithm: 'SHA1', digits: 6, period: 30 })
        expect(read.secret.base32).toBe(own)
      }),
    )
  })
})

describe('recovery codes', () => {
  test('are ten different ones that can be read aloud', () => {
    const codes = Array.from({ length: 20 }, newRecoveryCodes)
    for (const list of codes) expect(list).toHaveLength(10)
    expect(new Set(codes.flat()).size).toBe(200)
    for (const code of codes.flat()) expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{5}(-[0-9a-hjkmnp-tv-z]{5}){2}$/)
    // 3,000 signs: each of the 32 comes.
    expect(new Set(codes.flat().join('').replaceAll('-', '')).size).toBe(32)
  })

  const key = recoveryKey('01ab2-cd3ef-4gh5j') ?? ''

  test('are kept as SHA-256', () => {
    expect(key).toBe(new Bun.CryptoHasher('sha256').update('01ab2cd3ef4gh5j').digest('hex'))
  })

  test.each([
    '01ab2cd3ef4gh5j',
    '01AB2-CD3EF-4GH5J',
    ' 01ab2 cd3ef 4gh5j\n',
    '01ab2\u2013cd3ef\u20114gh5j',
    'oLab2-cd3ef-4gh5j',
    'OIab2-cd3ef-4gh5j',
    '0iab2--cd3ef--4gh5j-',
  ])('are known however they are typed: %j', (typed) => {
    expect(recoveryKey(typed)).toBe(key)
  })

  test.each([
    '',
    '-',
    '123456',
    '123 456',
    '01ab2-cd3ef',
    '01ab2-cd3ef-4gh5',
    '01ab2-cd3ef-4gh5jk',
    '01ab2-cd3ef-4gh5u',
    '01ab2_cd3ef_4gh5j',
    '01ab2-cd3ef-4gh5é',
    '01ab2-cd3ef-4gh5\u0000',
    '０1ab2-cd3ef-4gh5j',
  ])('are nothing else: not %j', (typed) => {
    expect(recoveryKey(typed)).toBeUndefined()
  })

  test('have keys of their own', () => {
    const keys = newRecoveryCodes().map(recoveryKey)
    expect(new Set(keys).size).toBe(10)
    for (const one of keys) expect(one).toMatch(/^[0-9a-f]{64}$/)
  })

  test('and codes of an authenticator are never taken for one another', () => {
    const now = 1_800_000_000_000
    fc.assert(
      fc.property(fc.nat(999_999), (number) => {
        expect(recoveryKey(String(number).padStart(6, '0'))).toBeUndefined()
      }),
    )
    for (const code of newRecoveryCodes()) expect(totpStep(secret, code, now, null)).toBeUndefined()
  })
})

test('absurdly long text is neither, in no time', () => {
  const started = performance.now()
  for (const text of [
    '1'.repeat(1_000_000),
    `${' '.repeat(1_000_000)}1`,
    '-'.repeat(1_000_000),
    'o'.repeat(1_000_000),
  ]) {
    expect(totpStep(secret, text, 0, null)).toBeUndefined()
    expect(recoveryKey(text)).toBeUndefined()
  }
  expect(performance.now() - started).toBeLessThan(2000)
})
