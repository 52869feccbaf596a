import { describe, expect, test } from 'bun:test'
import { Client as DatabaseClient } from 'pg'
import { Choreography, withoutNamedLocks } from '../support/choreography.ts'
import { databaseSettings, onPostgres } from '../support/database.ts'
import { type CommitFault, type DatabaseProxy, startDatabaseProxy } from '../support/database-proxy.ts'
import { blobFiles, rowCounts } from '../support/inventory.ts'
import { sharedPostgres } from '../support/postgres.ts'
import { seededBytes } from '../support/seeded.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

/** The answer to COMMIT is lost on the way from PostgreSQL; `statement-faults.test.ts` has the same for SQLite. */
const described = onPostgres ? describe : describe.skip

const body = seededBytes(20_000, 1)

/** A server whose way to its database is in the test's hands. */
async function startBehindProxy(choreography = new Choreography()) {
  const { port } = await sharedPostgres()
  const proxy = await startDatabaseProxy({ host: '127.0.0.1', port })
  const stowage = await startStowage({
    settings: { STOWAGE_BLOB_GRACE: '0' },
    replace: { aroundStatement: choreography.around },
    databaseUrl: (direct) => proxy.url(direct),
  })
  return {
    stowage,
    proxy,
    choreography,
    [Symbol.asyncDispose]: async () => {
      await stowage[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

async function expectOneFile({ stowage, dataDir, admin }: TestStowage): Promise<void> {
  await stowage.sweep()
  expect(await rowCounts(stowage.registry.catalogue.read)).toMatchObject({ files: 1, versions: 1, blobs: 1, doomed: 0 })
  expect((await blobFiles(dataDir)).size).toBe(1)
  expect(Buffer.compare(await (await admin.get()).bytes(), body)).toBe(0)
}

/** How often the transaction that adds a file was begun. */
const timesAdded = ({ seen }: Choreography) => seen.filter((sql) => /^insert into "files"/.test(sql)).length

described('a connection that is lost at the commit of a publish', () => {
  test('before the database heard of it: 503, nothing is left, and the next attempt works', async () => {
    await using scene = await startBehindProxy()
    const { stowage, proxy, choreography } = scene
    const happened = proxy.atNextCommit('cut before')
    const answer = await stowage.admin.put({}, body)
    await happened
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).not.toBeNull()
    expect(timesAdded(choreography)).toBe(1)
    expect((await stowage.admin.get()).status).toBe(404)
    await stowage.stowage.sweep()
    expect((await blobFiles(stowage.dataDir)).size).toBe(0)
    expect((await stowage.admin.put({}, body)).status).toBe(201)
    await expectOneFile(stowage)
  })

  test.each<[string, CommitFault]>([
    ['after the database has done it', 'cut after'],
    ['while the database does it', 'cut while running'],
  ])('%s: it is looked up, not repeated, and answered with 201', async (_, fault) => {
    await using scene = await startBehindProxy()
    const { stowage, proxy, choreography } = scene
    const happened = proxy.atNextCommit(fault)
    const answer = await stowage.admin.put({}, body)
    await happened
    expect(answer.status).toBe(201)
    expect(timesAdded(choreography)).toBe(1)
    await expectOneFile(stowage)
    expect((await stowage.admin.put({}, body)).status).toBe(409)
  })

  test('of a delete: 503, and it stays deleted', async () => {
    await using scene = await startBehindProxy()
    const { stowage, proxy } = scene
    expect((await stowage.admin.put({}, body)).status).toBe(201)
    const happened = proxy.atNextCommit('cut after')
    expect((await stowage.admin.delete()).status).toBe(503)
    await happened
    expect((await stowage.admin.get()).status).toBe(404)
    expect((await stowage.admin.delete()).status).toBe(404)
    await stowage.stowage.sweep()
    expect((await blobFiles(stowage.dataDir)).size).toBe(0)
  })
})

/** Makes every commit that adds a file take until the returned function is called. */
async function slowCommits(stowage: TestStowage): Promise<() => Promise<void>> {
  await stowage.change(`
    create function wait_for_test() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(42); return null; end $$;
    create constraint trigger slow after insert on files deferrable initially deferred
      for each row execute function wait_for_test()`)
  const { STOWAGE_DATABASE_URL: url } = await databaseSettings(stowage.dataDir)
  const holder = new DatabaseClient({ connectionString: url })
  await holder.connect()
  await holder.query('select pg_advisory_lock(42)')
  return () => holder.end()
}

async function waiting(stowage: TestStowage): Promise<number> {
  const [row] = await stowage.change(`
    select count(*)::int as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`)
  return Number(row?.waiting)
}

described('a commit that the database is still busy with when its connection is lost', () => {
  async function lose(stowage: TestStowage, proxy: DatabaseProxy) {
    const letItCommit = await slowCommits(stowage)
    const happened = proxy.atNextCommit('cut while running')
    const put = stowage.admin.put({}, body)
    await happened
    await until(async () => (await waiting(stowage)) > 0, 'the commit is under way')
    return { put, letItCommit }
  }

  test('is waited for by whoever looks it up, and answered with 201', async () => {
    await using scene = await startBehindProxy()
    const { stowage, proxy } = scene
    const { put, letItCommit } = await lose(stowage, proxy)
    await until(async () => (await waiting(stowage)) > 1, 'the look-up waits for the commit')
    await letItCommit()
    expect((await put).status).toBe(201)
    await expectOneFile(stowage)
  })

  test('is waited for by the sweeper, when the look-up was in vain', async () => {
    await using scene = await startBehindProxy()
    const { stowage, proxy } = scene
    const { put, letItCommit } = await lose(stowage, proxy)
    await until(async () => (await waiting(stowage)) > 1, 'the look-up waits for the commit')
    proxy.refuse()
    proxy.cutAll()
    expect((await put).status).toBe(503)
    await proxy.accept()
    const swept = stowage.stowage.sweep()
    await until(async () => (await waiting(stowage)) > 1, 'the sweep waits for the commit')
    await letItCommit()
    await swept
    await expectOneFile(stowage)
  })

  test('would lose its bytes if nobody waited', async () => {
    const choreography = new Choreography()
    await using scene = await startBehindProxy(choreography)
    const { stowage, proxy } = scene
    choreography.rewrite(withoutNamedLocks)
    const { put, letItCommit } = await lose(stowage, proxy)
    expect((await put).status).toBe(503)
    await stowage.stowage.sweep()
    await letItCommit()
    await until(async () => (await rowCounts(stowage.stowage.registry.catalogue.read)).files === 1, 'it is committed')
    expect((await blobFiles(stowage.dataDir)).size).toBe(0)
  })
})
