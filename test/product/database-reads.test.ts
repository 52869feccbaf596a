import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { Kysely } from 'kysely'
import type { Schema } from '../../server/catalogue/schema.ts'
import { openSqlite } from '../../server/catalogue/sqlite.ts'
import { sqliteDialect } from '../../server/catalogue/sqlite-dialect.ts'
import { startStowage } from '../support/stowage.ts'

test('a database that cannot be read is a 503 that says to try again, not a 500', async () => {
  let failing = false
  await using stowage = await startStowage({
    replace: {
      openCatalogue: (file) => {
        const fail = () => {
          if (failing) throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_READ' })
        }
        const read = new Kysely<Schema>({ dialect: sqliteDialect(new Database(file, { readonly: true }), fail) })
        return { ...openSqlite(file), read }
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
