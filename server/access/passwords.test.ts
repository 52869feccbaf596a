import { describe, expect, test } from 'bun:test'
import { nobody, Passwords } from './passwords.ts'

const minutes = 60_000

/** Hashing takes time by design: one account serves every test that only reads it. */
const secret = 'correct horse'
const ada = { id: 1, hash: await new Passwords(Date.now).hash(secret) }

function start() {
  const clock = { now: 1_000_000 }
  return { clock, passwords: new Passwords(() => clock.now) }
}

describe('a password', () => {
  test('is stored as Argon2id with the parameters that OWASP names', () => {
    expect(ada.hash).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$')
  })

  test('is right or wrong', async () => {
    const { passwords } = start()
    expect(await passwords.verify(ada, secret)).toBe(true)
    expect(await passwords.verify(ada, 'correct horsE')).toBe(false)
    expect(await passwords.verify(ada, '')).toBe(false)
  })

  test.each(['\0\0\0\0\0\0\0\0', 'äöü漢字🔑', '\ud800 half a pair', 'x'.repeat(256)])('may be %p', async (text) => {
    const { passwords } = start()
    const user = { id: 2, hash: await passwords.hash(text) }
    expect(await passwords.verify(user, text)).toBe(true)
    expect(await passwords.verify(user, `${text}!`)).toBe(false)
  })

  test('costs the same whether the user is unknown or the password wrong', async () => {
    const { passwords } = start()
    await passwords.verify(ada, 'wrong')
    const forWrong = passwords.computations
    expect(await passwords.verify(nobody('grace'), 'wrong')).toBe(false)
    const forUnknown = passwords.computations - forWrong
    expect({ forWrong, forUnknown }).toEqual({ forWrong: 1, forUnknown: 1 })
  })
})

describe('a verified password', () => {
  test('is remembered for five minutes', async () => {
    const { clock, passwords } = start()
    expect(passwords.isRemembered(ada, secret)).toBe(false)
    await passwords.verify(ada, secret)
    const computed = passwords.computations
    expect(passwords.isRemembered(ada, secret)).toBe(true)
    expect(passwords.computations).toBe(computed)
    clock.now += 5 * minutes
    expect(passwords.isRemembered(ada, secret)).toBe(false)
  })

  test('is remembered on while it is used', async () => {
    const { clock, passwords } = start()
    await passwords.verify(ada, secret)
    for (let minute = 0; minute < 60; minute++) {
      clock.now += minutes
      expect(passwords.isRemembered(ada, secret)).toBe(true)
    }
    clock.now += 5 * minutes
    expect(passwords.isRemembered(ada, secret)).toBe(false)
  })

  test('is remembered for that account, that hash and that password only', async () => {
    const { passwords } = start()
    await passwords.verify(ada, secret)
    expect(passwords.isRemembered({ ...ada, id: 2 }, secret)).toBe(false)
    expect(passwords.isRemembered({ ...ada, hash: `${ada.hash}x` }, secret)).toBe(false)
    expect(passwords.isRemembered(ada, `${secret}x`)).toBe(false)
  })

  test('is remembered by whatever name it was given', async () => {
    const { passwords } = start()
    await passwords.verify({ ...ada, typed: 'ada' }, secret)
    expect(passwords.isRemembered({ ...ada, typed: 'ada@example.com' }, secret)).toBe(true)
    expect(passwords.isRemembered(ada, secret)).toBe(true)
  })

  test('that was wrong is not remembered', async () => {
    const { passwords } = start()
    await passwords.verify(ada, 'wrong')
    expect(passwords.isRemembered(ada, 'wrong')).toBe(false)
  })
})

describe('many at once', () => {
  test('with one password cost one computation', async () => {
    const { passwords } = start()
    const answers = await Promise.all(Array.from({ length: 40 }, () => passwords.verify(ada, secret)))
    expect(answers).toEqual(Array.from({ length: 40 }, () => true))
    expect(passwords.computations).toBe(1)
  })

  test('by name and by address are two, as they would be where nobody has them', async () => {
    const computations = async (holder: (typed: string) => Parameters<Passwords['verify']>[0]) => {
      const { passwords } = start()
      const names = ['ada', 'ada@example.com', 'ada']
      await Promise.all(names.map((typed) => passwords.verify(holder(typed), 'wrong')))
      return passwords.computations
    }
    expect(await computations((typed) => ({ ...ada, typed }))).toBe(2)
    expect(await computations(nobody)).toBe(2)
  })

  test('wait in a short queue, and are refused when it is full', async () => {
    const { passwords } = start()
    const answers = await Promise.allSettled(
      Array.from({ length: 100 }, (_, index) => passwords.verify(ada, `wrong ${index}`)),
    )
    const refused = answers.filter((answer) => answer.status === 'rejected')
    const answered = answers.filter((answer) => answer.status === 'fulfilled')
    expect(answered.length).toBeGreaterThan(2)
    expect(refused.length).toBeGreaterThan(0)
    for (const { reason } of refused) {
      expect(reason).toMatchObject({ name: 'Problem', code: 'too-many-attempts', facts: { retry_after: 2 } })
    }
    expect(passwords.computations).toBe(answered.length)
    expect(await passwords.verify(ada, secret)).toBe(true)
  })
})
