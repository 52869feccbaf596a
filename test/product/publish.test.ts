import { expect, test } from 'bun:test'
import { startStowage } from '../support/stowage.ts'

test('a file is published once and read back by anybody', async () => {
  await using stowage = await startStowage({ thread: true })
  const ada = await stowage.user('ada')
  expect((await ada.put({ file: 'a.txt' }, 'one')).status).toBe(201)
  expect((await ada.put({ file: 'a.txt' }, 'two')).status).toBe(409)
  expect(await (await stowage.anonymous.get({ owner: 'ada', file: 'a.txt' })).text()).toBe('one')
})
