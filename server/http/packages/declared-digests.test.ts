import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type DigestAlgorithm, digestAlgorithms, digestSizes, RunningDigests } from '../../lib/digests.ts'
import { Problem } from '../../problems.ts'
import { declaredDigests, mergedDigests } from './declared-digests.ts'

const running = new RunningDigests(digestAlgorithms)
running.update(new TextEncoder().encode('hello'))
const hello = running.finish()

const keys: Record<DigestAlgorithm, string> = { md5: 'md5', sha1: 'sha', sha256: 'sha-256', sha512: 'sha-512' }
const checksums: Record<DigestAlgorithm, string> = {
  md5: 'X-Checksum-Md5',
  sha1: 'X-Checksum-Sha1',
  sha256: 'X-Checksum-Sha256',
  sha512: 'X-Checksum-Sha512',
}

function hex(algorithm: DigestAlgorithm): string {
  return hello[algorithm] ?? ''
}

function base64(algorithm: DigestAlgorithm): string {
  return Buffer.from(hex(algorithm), 'hex').toString('base64')
}

function member(algorithm: DigestAlgorithm): string {
  return `${keys[algorithm]}=:${base64(algorithm)}:`
}

function declared(headers: Record<string, string> | [string, string][]) {
  return declaredDigests(new Headers(headers))
}

function refusal(attempt: () => unknown): string {
  try {
    attempt()
  } catch (error) {
    if (error instanceof Problem) return `${error.code}: ${error.message}`
    throw error
  }
  return 'nothing was refused'
}

describe('declared digests', () => {
  test('there are none without headers', () => {
    expect(declared({})).toEqual({ ofFile: {}, ofBody: {} })
  })

  test.each(digestAlgorithms)('%s can be declared in every way', (algorithm) => {
    const digest = { [algorithm]: hex(algorithm) }
    expect(declared({ 'Repr-Digest': member(algorithm) })).toEqual({ ofFile: digest, ofBody: {} })
    expect(declared({ 'Content-Digest': member(algorithm) })).toEqual({ ofFile: {}, ofBody: digest })
    for (const written of [hex(algorithm), hex(algorithm).toUpperCase(), ` ${hex(algorithm)}\t`]) {
      expect(declared({ [checksums[algorithm]]: written })).toEqual({ ofFile: digest, ofBody: {} })
    }
  })

  test('Content-MD5 is of the body', () => {
    expect(declared({ 'Content-MD5': base64('md5') })).toEqual({ ofFile: {}, ofBody: { md5: hex('md5') } })
  })

  test.each([
    ['several at once', digestAlgorithms.map(member).join(', '), hello],
    ['no spaces', digestAlgorithms.map(member).join(','), hello],
    ['an unknown algorithm', `blake3=:AAAA:, ${member('sha256')}, unixsum=30637`, { sha256: hex('sha256') }],
    ['only unknown algorithms', 'blake3=:AAAA:, crc32c=:x:, foo, bar;a=1', {}],
    ['a comma in a string', `foo="a, sha-256=:x:", ${member('sha1')}`, { sha1: hex('sha1') }],
    ['a quote in a string', `foo="a\\", sha-256=:x:", ${member('sha1')}`, { sha1: hex('sha1') }],
    ['an inner list', `foo=("a" :AA==:), ${member('sha1')}`, { sha1: hex('sha1') }],
    [
      'parameters',
      `${member('sha256')};q=1;note="a, b", ${member('md5')}; x`,
      { sha256: hex('sha256'), md5: hex('md5') },
    ],
    ['the older capitals', member('sha256').replace('sha', 'SHA'), { sha256: hex('sha256') }],
    ['no padding', member('sha256').replace('=:', '§').replace('=', '').replace('§', '=:'), { sha256: hex('sha256') }],
    ['the same twice', `${member('sha256')}, ${member('sha256')}`, { sha256: hex('sha256') }],
    ['empty members', `,, ${member('sha256')},`, { sha256: hex('sha256') }],
    ['nothing', '', {}],
  ])('are read with %s', (_, text, digests) => {
    expect(declared({ 'Repr-Digest': text }).ofFile).toEqual(digests)
    expect(declared({ 'Content-Digest': text }).ofBody).toEqual(digests)
  })

  const form = 'must have the form sha-256=:…:, with the base64 of 32 bytes between the colons'

  test.each([
    ['no colons', `sha-256=${base64('sha256')}`],
    ['one colon', `sha-256=:${base64('sha256')}`],
    ['hex', `sha-256=:${hex('sha256')}:`],
    ['a string', `sha-256="${base64('sha256')}"`],
    ['no value', 'sha-256'],
    ['an empty value', 'sha-256='],
    ['no bytes', 'sha-256=::'],
    ['the bytes of another algorithm', `sha-256=:${base64('sha1')}:`],
    ['a letter too many', `sha-256=:A${base64('sha256')}:`],
    ['letters of base64url', `sha-256=:${'_'.repeat(43)}=:`],
    ['spaces inside', `sha-256=: ${base64('sha256')}:`],
    ['something behind', `sha-256=:${base64('sha256')}:x`],
    ['the value in a parameter', `sha-256;a=:${base64('sha256')}:`],
    ['a good one before', `${member('md5')}, sha-256=x`],
  ])('with %s are refused', (_, text) => {
    expect(refusal(() => declared({ 'Repr-Digest': text }))).toBe(`bad-request: Repr-Digest ${form}`)
    expect(refusal(() => declared({ 'Content-Digest': text }))).toBe(`bad-request: Content-Digest ${form}`)
  })

  test('behind a string without an end are not passed over', () => {
    expect(refusal(() => declared({ 'Repr-Digest': `foo="a, ${member('sha256')}` }))).toBe(
      'bad-request: Repr-Digest has a string without an end',
    )
  })

  test.each([
    '',
    'x',
    hex('sha1'),
    `${hex('sha256')}0`,
    `0x${hex('sha256').slice(2)}`,
    base64('sha256'),
    'g'.repeat(64),
  ])('in X-Checksum-Sha256 cannot be %p', (text) => {
    expect(refusal(() => declared({ 'X-Checksum-Sha256': text }))).toBe(
      'bad-request: X-Checksum-Sha256 must be 64 hexadecimal digits',
    )
  })

  test.each(['', 'x', hex('md5'), base64('sha1'), `:${base64('md5')}:`, `${base64('md5')}=`])(
    'in Content-MD5 cannot be %p',
    (text) => {
      expect(refusal(() => declared({ 'Content-MD5': text }))).toBe(
        'bad-request: Content-MD5 must be the base64 of 16 bytes',
      )
    },
  )

  const other = { md5: '0'.repeat(32), sha256: '0'.repeat(64) }

  test('must agree about the same thing', () => {
    const file = { 'Repr-Digest': member('sha256'), 'X-Checksum-Sha256': other.sha256 }
    expect(refusal(() => declared(file))).toBe(
      'bad-request: Repr-Digest and X-Checksum-Sha256 declare different SHA-256 digests',
    )
    const body = { 'Content-Digest': 'md5=:AAAAAAAAAAAAAAAAAAAAAA==:', 'Content-MD5': base64('md5') }
    expect(refusal(() => declared(body))).toBe(
      'bad-request: Content-Digest and Content-MD5 declare different MD5 digests',
    )
    const lines: [string, string][] = [
      ['Repr-Digest', member('md5')],
      ['Repr-Digest', 'md5=:AAAAAAAAAAAAAAAAAAAAAA==:'],
    ]
    expect(refusal(() => declared(lines))).toBe('bad-request: Repr-Digest declares different MD5 digests')
    expect(declared({ 'Repr-Digest': member('sha256'), 'X-Checksum-Sha256': hex('sha256') }).ofFile).toEqual({
      sha256: hex('sha256'),
    })
  })

  test('of the file and of the body may differ, until both are the same bytes', () => {
    const both = declared({ 'X-Checksum-Md5': other.md5, 'Content-MD5': base64('md5') })
    expect(both).toEqual({ ofFile: { md5: other.md5 }, ofBody: { md5: hex('md5') } })
    expect(refusal(() => mergedDigests(both))).toBe(
      'bad-request: the headers declare different MD5 digests of one upload',
    )
    const agreeing = declared({
      'Repr-Digest': member('sha256'),
      'Content-Digest': `${member('sha256')},${member('md5')}`,
    })
    expect(mergedDigests(agreeing)).toEqual({ sha256: hex('sha256'), md5: hex('md5') })
  })

  test('of any bytes are read back', () => {
    const digest = fc.constantFrom(...digestAlgorithms).chain((algorithm) => {
      const size = digestSizes[algorithm]
      return fc
        .uint8Array({ minLength: size, maxLength: size })
        .map((bytes) => ({ algorithm, bytes: Buffer.from(bytes) }))
    })
    fc.assert(
      fc.property(digest, ({ algorithm, bytes }) => {
        const expected = { [algorithm]: bytes.toString('hex') }
        const dictionary = `${keys[algorithm]}=:${bytes.toString('base64')}:`
        expect(declared({ 'Repr-Digest': dictionary }).ofFile).toEqual(expected)
        expect(declared({ [checksums[algorithm]]: bytes.toString('hex') }).ofFile).toEqual(expected)
      }),
    )
  })

  test('in any text are whole digests, or refused as a bad request', () => {
    const piece = fc.oneof(
      fc.constantFrom('sha-256', 'md5', '=', ':', ',', ';', '"', '\\', ' ', '=:', member('sha1')),
      fc.string({ unit: 'grapheme-ascii', maxLength: 5 }),
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const get = (name: string) => (name === 'Content-Digest' ? pieces.join('') : null)
        try {
          for (const [algorithm, digest] of Object.entries(declaredDigests({ get }).ofBody)) {
            expect(digest).toMatch(/^[0-9a-f]+$/)
            expect(digest).toHaveLength(2 * digestSizes[algorithm as DigestAlgorithm])
          }
        } catch (error) {
          expect(error).toMatchObject({ name: 'Problem', code: 'bad-request' })
        }
      }),
    )
  })

  test.each([',', '"', 'a=;', 'foo="a",'])('%p a million times over is read in no time', (text) => {
    const started = performance.now()
    declaredDigests({ get: (name) => (name === 'Repr-Digest' ? text.repeat(1_000_000) : null) })
    expect(performance.now() - started).toBeLessThan(3000)
  })
})
