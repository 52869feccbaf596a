import { describe, expect, test } from 'bun:test'
import { type DigestAlgorithm, digestAlgorithms, digestSizes, RunningDigests } from '../lib/digests.ts'
import { Problem } from '../problems.ts'
import { declaredMismatch } from './declared-mismatch.ts'

const running = new RunningDigests(digestAlgorithms)
running.update(new TextEncoder().encode('hello'))
const hello = running.finish()
const hex = (algorithm: DigestAlgorithm) => hello[algorithm] ?? ''

describe('the uploaded bytes', () => {
  test('match what was declared, or nothing was', () => {
    expect(declaredMismatch({}, {})).toBeUndefined()
    expect(declaredMismatch({}, hello)).toBeUndefined()
    expect(declaredMismatch(hello, hello)).toBeUndefined()
    expect(declaredMismatch({ sha1: hex('sha1') }, hello)).toBeUndefined()
  })

  test.each(digestAlgorithms)('differ in %s alone, and the problem says so', (algorithm) => {
    const expected = '0'.repeat(2 * digestSizes[algorithm])
    const problem = declaredMismatch({ ...hello, [algorithm]: expected }, hello)
    expect(problem).toBeInstanceOf(Problem)
    expect(problem?.code).toBe('digest-mismatch')
    expect(problem?.facts).toEqual({ algorithm, expected, actual: hex(algorithm) })
    expect(problem?.message).toContain(hex(algorithm))
  })

  test('differ in all, and the strongest is named', () => {
    const problem = declaredMismatch({ md5: '0', sha256: '0', sha1: '0' }, hello)
    expect(problem?.message).toBe(`The SHA-256 digest of the upload is ${hex('sha256')}, but 0 was declared.`)
  })

  test('are never taken on trust', () => {
    expect(() => declaredMismatch({ sha1: hex('sha1') }, { sha256: hex('sha256') })).toThrow('was not computed')
  })
})
