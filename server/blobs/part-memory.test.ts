import { expect, test } from 'bun:test'
import { PartMemory } from './part-memory.ts'

test('as much is lent as there is', () => {
  const memory = new PartMemory({ most: 10 })
  expect([memory.tryTake(6), memory.tryTake(5), memory.tryTake(4), memory.tryTake(1)]).toEqual([
    true,
    false,
    true,
    false,
  ])
  memory.giveBack(6)
  expect(memory.tryTake(6)).toBe(true)
})

test('who waits comes before who does not, in the order of coming', async () => {
  const memory = new PartMemory({ most: 10 })
  memory.tryTake(10)
  const order: string[] = []
  const large = memory.take(8).then(() => order.push('large'))
  const small = memory.take(4).then(() => order.push('small'))
  memory.giveBack(4)
  expect(memory.tryTake(1)).toBe(false)
  memory.giveBack(4)
  await large
  expect(order).toEqual(['large'])
  memory.giveBack(8)
  await small
  expect(order).toEqual(['large', 'small'])
})

test('who has waited for too long goes away, and keeps nobody from his turn', async () => {
  const memory = new PartMemory({ most: 10, patience: 1 })
  memory.tryTake(8)
  const large = memory.take(8)
  const small = memory.take(2)
  expect(await large).toBe(false)
  expect(await small).toBe(true)
})
