import { describe, expect, test } from 'bun:test'
import { Kysely, sql } from 'kysely'
import { Client as DatabaseClient } from 'pg'
import { migrate } from '../../server/catalogue/migrate.ts'
import { migrations } from '../../server/catalogue/migrations/index.ts'
import { writingDialect } from '../../server/catalogue/postgres-dialect.ts'
import { ConnectionPool, statementTimeout } from '../../server/catalogue/postgres-pool.ts'
import type { Schema } from '../../server/catalogue/schema.ts'
import { straight } from '../../server/catalogue/statement.ts'
import { databaseSettings, onPostgres, onServer, untilNothingIsUnderWay } from '../support/database.ts'
import { type CommitFault, type DatabaseProxy, startDatabaseProxy } from '../support/database-proxy.ts'
import { blobFiles } from '../support/inventory.ts'
import { contents, disorder, Ledger } from '../support/ledger.ts'
import { type Ending, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { Seeded, seededBytes } from '../support/seeded.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { startStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const described = onPostgres ? describe : describe.skip
const seed = Number(process.env.FAULTS_SEED ?? 20_260_801)
const clients = 16
/** Milliseconds within which requests must succeed again once the database can be reached. */
const recovery = 10_000
/** Milliseconds after which a request counts as one that hangs: a statement's time and a connection's, and some air. */
const longestAnswer = 20_000

/** What happens to the database in the middle of the load; resolves when it can be reached again. */
interface Fault {
  name: string
  happen(database: PostgresServer, proxy: DatabaseProxy, random: Seeded): Promise<void>
}

const restart = (ending: Ending): Fault => ({
  name: `restart ${ending}`,
  happen: (database) => database.restart(ending),
})

const down = (ending: Ending): Fault => ({
  name: `down after ${ending}`,
  happen: async (database, _, random) => {
    await database.stop(ending)
    await Bun.sleep(random.below(2_000))
    await database.start()
  },
})

const atCommit = (fault: CommitFault): Fault => ({
  name: `at a commit: ${fault}`,
  happen: async (_, proxy) => {
    for (let times = 0; times < 8; times += 1) await proxy.atNextCommit(fault)
  },
})

const kinds: Fault[] = [
  restart('fast'),
  restart('immediate'),
  restart('kill'),
  down('fast'),
  down('kill'),
  {
    name: 'pause',
    happen: async (database, _, random) => {
      await database.pause()
      await Bun.sleep(500 + random.below(3_000))
      database.resume()
    },
  },
  {
    name: 'pause, and cut meanwhile',
    happen: async (database, proxy, random) => {
      await database.pause()
      await Bun.sleep(random.below(500))
      proxy.cutAll()
      await Bun.sleep(random.below(500))
      database.resume()
    },
  },
  { name: 'cut', happen: async (_, proxy) => proxy.cutAll() },
  {
    name: 'cut again and again',
    happen: async (_, proxy, random) => {
      for (let times = 0; times < 10; times += 1) {
        proxy.cutAll()
        await Bun.sleep(random.below(60))
      }
    },
  },
  {
    name: 'refuse and cut',
    happen: async (_, proxy, random) => {
      proxy.refuse()
      proxy.cutAll()
      await Bun.sleep(200 + random.below(1_500))
      await proxy.accept()
    },
  },
  {
    name: 'stall',
    happen: async (_, proxy, random) => {
      proxy.stall()
      await Bun.sleep(500 + random.below(3_000))
      proxy.resume()
    },
  },
  {
    name: 'stall, and cut meanwhile',
    happen: async (_, proxy, random) => {
      proxy.stall()
      await Bun.sleep(random.below(1_000))
      proxy.cutAll()
      await Bun.sleep(random.below(500))
      proxy.resume()
    },
  },
  atCommit('cut before'),
  atCommit('cut while running'),
  atCommit('cut after'),
]
const rounds = 3

function shuffled<T>(things: readonly T[], random: Seeded): T[] {
  return things
    .map((thing) => ({ thing, at: random.next() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ thing }) => thing)
}

/** Publishes, deletes and reads until it is over. What nobody answered is left alone, but for being looked at. */
async function work(ledger: Ledger, server: ServerProcess, random: Seeded, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const name = `${random.below(25)}/${random.below(40)}`
    if (!ledger.take(name)) continue
    try {
      const { is } = ledger.state(name)
      const [content, dice] = [random.below(contents), random.next()]
      if (is === 'unknown' || dice < 0.3) await ledger.look(server.admin, name)
      else if (is === 'there' && dice < 0.95) await ledger.remove(server.admin, name)
      else await ledger.publish(server.admin, name, content)
    } finally {
      ledger.free(name)
    }
    // Where everything is refused at once, the machine is needed for the database to come up again.
    if (ledger.counts.unavailable % 50 === 49) await Bun.sleep(20)
  }
}

/** Milliseconds until a publish and a download succeed. */
async function timeToRecover({ admin }: ServerProcess, file: string): Promise<number> {
  const began = performance.now()
  const address = { package: 'recovery', file }
  const works = async () => {
    const { status } = await admin.put(address, file)
    // 409: the attempt before was committed, and nobody could say so.
    expect([201, 409, 503]).toContain(status)
    return status !== 503 && (await admin.get(address)).status === 200
  }
  await until(works, `requests succeed again (${file})`, recovery)
  return performance.now() - began
}

described('PostgreSQL fails in the middle of a load', () => {
  test(`${kinds.length * rounds} times: no 201 is lost, no answer is wrong, and it recovers by itself`, async () => {
    console.log(`faults: seed ${seed}`)
    const random = new Seeded(seed)
    const ledger = new Ledger(random, { mayBeUnavailable: true })
    await using folder = await temporaryFolder()
    await using database = await startPostgres({ settings: { fsync: 'on', full_page_writes: 'on' } })
    await using proxy = await startDatabaseProxy({ host: '127.0.0.1', port: database.port })
    const url = await database.createDatabase()
    const settings = { STOWAGE_DATABASE_URL: proxy.url(url), STOWAGE_BLOB_GRACE: '0', STOWAGE_LOG_LEVEL: 'error' }
    await using server = await ServerProcess.start(folder.path, settings)

    let slowest = { name: 'none', milliseconds: 0 }
    let number = 0
    for (let round = 0; round < rounds; round += 1) {
      for (const fault of shuffled(kinds, random)) {
        number += 1
        let isOver = false
        const working = Array.from({ length: clients }, () =>
          work(ledger, server, new Seeded(random.below(1e9)), () => isOver),
        )
        const worked = Promise.all(working)
        const happened = async () => {
          await Bun.sleep(100 + random.below(400))
          await fault.happen(database, proxy, random)
          const milliseconds = await timeToRecover(server, `after-${number}`)
          if (milliseconds > slowest.milliseconds) slowest = { name: fault.name, milliseconds }
          await Bun.sleep(random.below(200))
        }
        try {
          await Promise.race([happened(), worked])
          isOver = true
          await worked
        } catch (error) {
          throw new Error(`${error} (fault ${number}, ${fault.name})\n${server.errors.slice(-3_000)}`)
        } finally {
          isOver = true
          await worked.catch(() => undefined)
        }
        // What nobody answered is settled, and has to stay as it is found from then on.
        await untilNothingIsUnderWay(url)
        for (const name of ledger.all('unknown')) await ledger.settle(server.admin, name)
        for (const name of [...ledger.some('there', 6), ...ledger.some('absent', 6)]) {
          await ledger.look(server.admin, name)
        }
      }
      expect(await onServer(url, disorder)).toEqual([])
    }

    for (const name of ledger.files.keys()) await ledger.look(server.admin, name)
    const there = ledger.all('there').length
    console.log(`faults: ${JSON.stringify({ ...ledger.counts, there, addresses: ledger.files.size })}`)
    console.log(`faults: slowest recovery ${slowest.milliseconds.toFixed(0)} ms after ${slowest.name}`)
    console.log(`faults: longest wait for an answer ${ledger.longestWait.toFixed(0)} ms`)
    expect(ledger.counts.put).toBeGreaterThan(200)
    expect(ledger.counts.unavailable).toBeGreaterThan(50)
    expect(ledger.counts.unanswered).toBe(0)
    expect(ledger.longestWait).toBeLessThan(longestAnswer)

    // The regular sweep removes what nothing names, uploads of unknown end and bytes without a file among it.
    const named = async () => {
      const rows = await onServer(url, 'select location, size from blobs union all select location, -1 from doomed')
      return new Map(rows.map(({ location, size }) => [String(location), Number(size)]))
    }
    const sorted = (files: Map<string, number>) => [...files].toSorted(([one], [other]) => (one < other ? -1 : 1))
    const isTidy = async () => Bun.deepEquals(sorted(await blobFiles(folder.path)), sorted(await named()))
    await until(isTidy, 'the files are those of the blobs', 30_000).catch(async () => {
      expect(sorted(await blobFiles(folder.path))).toEqual(sorted(await named()))
    })
    expect(await onServer(url, disorder)).toEqual([])
    expect(await onServer(url, 'select location from doomed')).toEqual([])
    expect(await server.stop()).toBe(0)
    // What is logged as unforeseen is a 500 somewhere.
    expect(server.errors).not.toContain('unforeseen')
  }, 600_000)
})

described('a database that does not answer', () => {
  async function hold(url: string, ...statements: string[]): Promise<DatabaseClient> {
    const client = new DatabaseClient({ connectionString: url })
    await client.connect()
    for (const statement of ['begin', ...statements]) await client.query(statement)
    return client
  }

  test('a statement that takes too long is broken off: 503, and its transaction is undone', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
    const holder = await hold(await urlOf(stowage), 'lock table files in share mode')
    const began = performance.now()
    const answer = await stowage.admin.put({}, seededBytes(20_000, 1))
    const took = performance.now() - began
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(took).toBeGreaterThan(statementTimeout - 1_000)
    expect(took).toBeLessThan(statementTimeout + 2_000)
    await holder.query('rollback')
    await holder.end()
    expect(await stowage.change('select id from packages')).toEqual([])
    expect((await blobFiles(stowage.dataDir)).size).toBe(0)
    expect((await stowage.admin.put({}, seededBytes(20_000, 1))).status).toBe(201)
  })

  test('a read that takes too long is 503, and so is a write that waits for it', async () => {
    await using stowage = await startStowage()
    expect((await stowage.admin.put({}, 'bytes')).status).toBe(201)
    const holder = await hold(await urlOf(stowage), 'lock table files in access exclusive mode')
    const began = performance.now()
    const answers = await Promise.all([
      stowage.admin.get(),
      stowage.admin.delete(),
      stowage.admin.put({ file: 'b' }, 'b'),
    ])
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503])
    for (const { headers } of answers) expect(headers.get('retry-after')).toMatch(/^\d+$/)
    expect(performance.now() - began).toBeLessThan(longestAnswer)
    await holder.query('rollback')
    await holder.end()
    expect((await stowage.admin.get()).status).toBe(200)
  })

  test('a server that stands still: each request is 503 in time, a transaction is not tried over and over', async () => {
    await using database = await startPostgres()
    const url = await database.createDatabase()
    await using stowage = await startStowage({ settings: { STOWAGE_DATABASE_URL: url } })
    const { catalogue } = stowage.stowage.registry
    expect((await stowage.admin.put({}, 'bytes')).status).toBe(201)
    // Every connection there may be, so that each attempt would find one that stands still.
    await Promise.all(Array.from({ length: 10 }, () => catalogue.probe()))
    await database.pause()
    const began = performance.now()
    const probe = catalogue.probe().then(
      () => 'done',
      (error) => error.code,
    )
    const answers = await Promise.all([stowage.admin.get(), stowage.admin.put({ file: 'b' }, 'b')])
    expect(answers.map(({ status }) => status)).toEqual([503, 503])
    for (const { headers } of answers) expect(headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await probe).toBe('storage-unavailable')
    expect(performance.now() - began).toBeLessThan(longestAnswer)
    database.resume()
    expect(await (await stowage.admin.get()).text()).toBe('bytes')
    expect((await stowage.admin.put({ file: 'b' }, 'b')).status).toBe(201)
  })

  test('a migration takes as long as it must', async () => {
    await using database = await startPostgres()
    const url = await database.createDatabase()
    const pool = new ConnectionPool(url, 1, { unlimitedTime: true })
    try {
      const db = new Kysely<Schema>({ dialect: writingDialect(pool, straight) })
      const slow = { up: async (tx: Kysely<unknown>) => void (await sql`select pg_sleep(14)`.execute(tx)) }
      await migrate(db, '0.1.0', { ...migrations, '9000-slow': slow })
    } finally {
      await pool.close()
    }
    expect(await onServer(url, "select name from kysely_migration where name = '9000-slow'")).toHaveLength(1)
  })
})

async function urlOf({ dataDir }: { dataDir: string }): Promise<string> {
  return (await databaseSettings(dataDir)).STOWAGE_DATABASE_URL ?? ''
}
