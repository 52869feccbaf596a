import { describe, expect, test } from 'bun:test'
import { sql } from 'kysely'
import { openPostgres } from '../../server/catalogue/postgres.ts'
import { freshDatabase, onPostgres, onServer } from '../support/database.ts'
import { startPostgres } from '../support/postgres.ts'
import { startStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const described = onPostgres ? describe : describe.skip

described('a read that takes too long', () => {
  test('is given up after 12 s, and the database does not go on with it for nobody', async () => {
    const url = await freshDatabase()
    const catalogue = openPostgres({ url, connections: 2 })
    const atWork = async () => {
      const rows = await onServer(
        url,
        "select pid from pg_stat_activity where state = 'active' and query like '%pg_sleep(61%'",
      )
      // This question is one of them.
      return rows.length - 1
    }
    try {
      const begun = performance.now()
      const read = sql`select pg_sleep(61)`.execute(catalogue.read)
      await expect(read).rejects.toMatchObject({ code: 'storage-unavailable' })
      expect(performance.now() - begun).toBeLessThan(20_000)
      await until(async () => (await atWork()) === 0, 'the server has broken it off')
      expect((await sql`select 1 as one`.execute(catalogue.read)).rows).toEqual([{ one: 1 }])
    } finally {
      await catalogue.close()
    }
  })
})

described('a database that stands still', () => {
  test('does not keep a server from stopping', async () => {
    await using database = await startPostgres()
    const stowage = await startStowage({
      settings: { STOWAGE_DATABASE_URL: await database.createDatabase() },
      replace: { background: 'on' },
    })
    expect((await stowage.admin.put({}, 'bytes')).status).toBe(201)
    await database.pause()
    const begun = performance.now()
    await stowage.stowage.stop(0)
    // Its lease, its background work and its connections: 5 s for each.
    expect(performance.now() - begun).toBeLessThan(22_000)
    database.resume()
  })
})
