import { expect, test } from 'bun:test'
import { HeldPart, StreamedPart } from './part-bodies.ts'

test('a held part keeps what it has when it grows', () => {
  const part = new HeldPart(2)
  part.append(new Uint8Array([1, 2]))
  part.grow(4)
  part.append(new Uint8Array([3]))
  expect([...part.body]).toEqual([1, 2, 3])
  expect(part.room).toBe(4)
})

test('bytes of a streamed part are the caller’s again when the next ones are asked for, and no sooner', async () => {
  const part = new StreamedPart(4)
  const reader = part.body.getReader()
  const events: string[] = []
  const passed = part.pass(new Uint8Array([1, 2])).then(() => events.push('passed'))
  expect([...((await reader.read()).value ?? [])]).toEqual([1, 2])
  events.push('read')
  await new Promise((resolve) => setImmediate(resolve))
  expect(events).toEqual(['read'])
  const next = reader.read()
  await passed
  expect(events).toEqual(['read', 'passed'])
  const last = part.pass(new Uint8Array([3, 4]))
  expect([...((await next).value ?? [])]).toEqual([3, 4])
  expect((await reader.read()).done).toBe(true)
  await last
})

test('a streamed part that nobody wants any more holds nobody up', async () => {
  const part = new StreamedPart(4)
  const passing = part.pass(new Uint8Array([1, 2]))
  await part.body.cancel()
  await passing
})
