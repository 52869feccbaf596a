import { expect, test } from 'bun:test'
import { FailedAttempts } from './failed-attempts.ts'

const minutes = 60_000

function start() {
  const clock = { now: 5_000 }
  const attempts = new FailedAttempts(() => clock.now)
  const fail = (times: number, account = 'ada', address = '192.0.2.1') => {
    for (let count = 0; count < times; count++) attempts.begin(account, address)
  }
  return { clock, attempts, fail }
}

test('nobody waits who has not failed', () => {
  const { attempts } = start()
  expect(attempts.mustWait('ada', '192.0.2.1')).toBeUndefined()
})

test('after ten wrong passwords one waits until the window ends, in whole seconds', () => {
  const { clock, attempts, fail } = start()
  fail(9)
  expect(attempts.mustWait('ada', '192.0.2.1')).toBeUndefined()
  fail(1)
  expect(attempts.mustWait('ada', '192.0.2.1')).toBe(600)
  clock.now += 10 * minutes - 1
  expect(attempts.mustWait('ada', '192.0.2.1')).toBe(1)
  clock.now += 1
  expect(attempts.mustWait('ada', '192.0.2.1')).toBeUndefined()
})

test('a new window begins with the first failure after the old one', () => {
  const { clock, attempts, fail } = start()
  fail(10)
  clock.now += 10 * minutes
  fail(9)
  expect(attempts.mustWait('ada', '192.0.2.1')).toBeUndefined()
  fail(1)
  expect(attempts.mustWait('ada', '192.0.2.1')).toBe(600)
})

test('other addresses and other accounts do not wait', () => {
  const { attempts, fail } = start()
  fail(50)
  expect(attempts.mustWait('ada', '192.0.2.2')).toBeUndefined()
  expect(attempts.mustWait('eve', '192.0.2.1')).toBeUndefined()
})

test('a right password clears the count', () => {
  const { attempts, fail } = start()
  fail(9)
  attempts.succeeded('ada', '192.0.2.1')
  fail(9)
  expect(attempts.mustWait('ada', '192.0.2.1')).toBeUndefined()
})

test('what is remembered has a bound: the oldest pairs are forgotten, the latest are not', () => {
  const { attempts, fail } = start()
  fail(10, 'first')
  for (let account = 0; account < 20_000; account++) attempts.begin(`account ${account}`, '192.0.2.1')
  expect(attempts.mustWait('first', '192.0.2.1')).toBeUndefined()
  fail(10, 'last')
  expect(attempts.mustWait('last', '192.0.2.1')).toBe(600)
})
