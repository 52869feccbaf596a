import { expect, test } from 'bun:test'
import { unreadable } from '../support/statements.ts'
import { startStowage } from '../support/stowage.ts'

test('a database that cannot be read is a 503 that says to try again, not a 500', async () => {
  let failing = false
  await using stowage = await startStowage({
    replace: {
      aroundStatement: (sql, run, place) => {
        if (failing && place === 'reading') throw unreadable()
        return run(sql)
      },
    },
  })
  await stowage.admin.put({}, 'one')
  failing = true
  for (const answer of [
    await stowage.admin.get(),
    await stowage.anonymous.get(),
    await stowage.admin.put({ file: 'x' }, ''),
  ]) {
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).not.toBeNull()
  }
  failing = false
  expect((await stowage.admin.get()).status).toBe(200)
})
