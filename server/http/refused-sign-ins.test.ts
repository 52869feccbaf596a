import { describe, expect, test } from 'bun:test'
import pino from 'pino'
import { Problem } from '../problems.ts'
import { logFailure } from './failures.ts'
import { RefusedSignIns } from './refused-sign-ins.ts'

function logbook() {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug', base: undefined }, { write: (line) => lines.push(JSON.parse(line)) })
  return { log, lines }
}

const wrong = () => Promise.reject(new Problem('credentials-wrong', 'Failed to authenticate user'))

describe('a refused sign-in', () => {
  test('is a line with the address, and refused all the same', async () => {
    const { log, lines } = logbook()
    const refused = new RefusedSignIns(log, () => 0)
    expect(await refused.watch('192.0.2.7', Promise.resolve('in'))).toBe('in')
    await expect(refused.watch('192.0.2.7', wrong())).rejects.toThrow('Failed to authenticate user')
    const guesses = Promise.reject(new Problem('too-many-attempts', 'Too many wrong passwords.'))
    await expect(refused.watch('192.0.2.7', guesses)).rejects.toThrow('Too many')
    expect(lines).toMatchObject([
      { msg: 'Refused a sign-in from 192.0.2.7', 'client.address': '192.0.2.7', 'problem.code': 'credentials-wrong' },
      { msg: 'Refused a sign-in from 192.0.2.7', 'problem.code': 'too-many-attempts' },
    ])
  })

  test('is none where something else went wrong', async () => {
    const { log, lines } = logbook()
    const away = Promise.reject(new Problem('storage-unavailable', 'The database is away.'))
    await expect(new RefusedSignIns(log, () => 0).watch('192.0.2.7', away)).rejects.toThrow('away')
    expect(lines).toEqual([])
  })

  test('fills no log: ten lines a minute for one network', async () => {
    const { log, lines } = logbook()
    let now = 0
    const refused = new RefusedSignIns(log, () => now)
    const guess = async (address: string) => expect(refused.watch(address, wrong())).rejects.toThrow()
    for (let i = 0; i < 50; i += 1) await guess(`2001:db8::${i}`)
    expect(lines).toHaveLength(10)
    await guess('192.0.2.7')
    expect(lines).toHaveLength(11)
    now = 60_001
    await guess('2001:db8::1')
    expect(lines).toHaveLength(12)
  })
})

test('a failure is logged without a token that stands in its path', () => {
  const { log, lines } = logbook()
  const token = '0123456789abcdef0123456789abcdef01234567'
  const request = new Request(`http://stowage/api/v1/users/ada/tokens/${token}`, { method: 'DELETE' })
  logFailure(log, request, new Problem('not-found', 'access token does not exist'))
  expect(lines).toMatchObject([{ 'url.path': '/api/v1/users/ada/tokens/[token]' }])
})
