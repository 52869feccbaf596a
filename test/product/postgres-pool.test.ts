import { describe, expect, test } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { sql } from 'kysely'
import { Client as DatabaseClient } from 'pg'
import { databaseSettings, onPostgres, onServer } from '../support/database.ts'
import { blobFiles } from '../support/inventory.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { seededBytes } from '../support/seeded.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const described = onPostgres ? describe : describe.skip

const body = seededBytes(20_000, 1)

async function urlOf({ dataDir }: TestStowage): Promise<string> {
  return (await databaseSettings(dataDir)).STOWAGE_DATABASE_URL ?? ''
}

async function connected(url: string): Promise<DatabaseClient> {
  const client = new DatabaseClient({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** Makes every publish wait that gets as far as its file's row, until the returned function is called. */
async function holdPublishes(url: string): Promise<() => Promise<void>> {
  const holder = await connected(url)
  await holder.query('begin')
  await holder.query('lock table files in share mode')
  return () => holder.end()
}

const waitingForLock = `
  select pid from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock'`

function expectRetryLater(answer: Response): void {
  expect(answer.status).toBe(503)
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
}

/** A server with a PostgreSQL of its own, which a test may stop or bring into trouble. */
async function withOwnDatabase(settings: Record<string, string> = {}) {
  const database = await startPostgres({ settings })
  const url = await database.createDatabase()
  const stowage = await startStowage({ settings: { STOWAGE_DATABASE_URL: url } })
  return {
    database,
    url,
    stowage,
    [Symbol.asyncDispose]: async () => {
      await stowage[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

/** Publishes a new file until that works; with how often it did not. Every no is a 503. */
async function publishAgain(client: Client, file: string): Promise<number> {
  let refused = 0
  await until(async () => {
    const answer = await client.put({ file }, body)
    if (answer.status === 201) return true
    expectRetryLater(answer)
    refused += 1
    return false
  }, 'a publish works again')
  return refused
}

described('what every download asks', () => {
  interface Kept {
    generic: number
  }

  /** What the one session for reading keeps, as it says itself. */
  async function keptBy({ stowage }: TestStowage): Promise<Kept[]> {
    const kept = sql<Kept>`select generic_plans as generic from pg_prepared_statements where name like 'stowage%'`
    return (await kept.execute(stowage.registry.catalogue.read)).rows
  }

  test('is planned once for each session, and goes on without that where the server has forgotten it', async () => {
    await using stowage = await startStowage({ nodes: 1, settings: { STOWAGE_DATABASE_CONNECTIONS: '2' } })
    const { admin, anonymous } = stowage
    expect((await admin.put({}, body)).status).toBe(201)
    const read = async () => (await anonymous.as('admin').get()).status
    for (let time = 0; time < 8; time += 1) expect(await read()).toBe(200)
    expect((await keptBy(stowage)).some(({ generic }) => generic > 0)).toBe(true)

    // As a pooler does between two clients.
    await sql`deallocate all`.execute(stowage.stowage.registry.catalogue.read)
    for (let time = 0; time < 3; time += 1) expect(await read()).toBe(200)
    expect(await keptBy(stowage)).toEqual([])
  })
})

described('the connections to PostgreSQL', () => {
  test('are as many as the settings say and no more, whatever comes at once', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_DATABASE_CONNECTIONS: '6' } })
    const token = await stowage.admin.token(['write:package'])
    const observer = await connected(await urlOf(stowage))
    let most = 0
    let isOver = false
    const observing = (async () => {
      while (!isOver) {
        const { rows } = await observer.query(
          "select count(*)::int as open from pg_stat_activity where datname = current_database() and application_name = 'stowage'",
        )
        most = Math.max(most, rows[0].open)
      }
    })()
    const burst = Array.from({ length: 200 }, async (_, number) => {
      const file = `file-${number >> 1}`
      const answer = number % 2 ? await token.put({ file }, body) : await token.get({ file })
      return answer.status
    })
    const statuses = await Promise.all(burst)
    isOver = true
    await observing
    await observer.end()
    expect(statuses.filter((status) => status === 201)).toHaveLength(100)
    expect(statuses.filter((status) => ![200, 201, 404].includes(status))).toEqual([])
    expect(most).toBeLessThanOrEqual(6)
    expect(most).toBeGreaterThan(3)
  })

  test('are kept apart: downloads go on while publishes wait for a lock', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_DATABASE_CONNECTIONS: '4' } })
    const { admin } = stowage
    const url = await urlOf(stowage)
    expect((await admin.put({ file: 'there' }, body)).status).toBe(201)
    const letGo = await holdPublishes(url)
    const publishes = Array.from({ length: 12 }, (_, number) => admin.put({ package: `new-${number}` }, body))
    await until(async () => (await onServer(url, waitingForLock)).length === 2, 'both connections for writing wait')
    for (let times = 0; times < 20; times += 1) {
      expect((await admin.get({ file: 'there' })).status).toBe(200)
      expect((await admin.get({ package: 'new-1' })).status).toBe(404)
    }
    expect(await onServer(url, waitingForLock)).toHaveLength(2)
    await letGo()
    expect((await Promise.all(publishes)).map(({ status }) => status)).toEqual(Array(12).fill(201))
  })

  test('all hang: who waits too long for one, and who finds the queue full, is told to come back', async () => {
    let lookUps = 0
    await using stowage = await startStowage({
      settings: { STOWAGE_DATABASE_CONNECTIONS: '2', STOWAGE_BLOB_GRACE: '0' },
      replace: {
        aroundStatement: async (sql, run, place) => {
          const result = await run(sql)
          if (place === 'reading' && /from "blobs" where "scope"/.test(sql)) lookUps += 1
          return result
        },
      },
    })
    const { admin } = stowage
    const { catalogue } = stowage.stowage.registry
    const url = await urlOf(stowage)
    expect((await admin.put({ file: 'there' }, body)).status).toBe(201)
    const letGo = await holdPublishes(url)
    const first = admin.put({ file: 'first' }, body)
    await until(async () => (await onServer(url, waitingForLock)).length === 1, 'the first waits for the lock')

    const began = performance.now()
    const second = admin.put({ file: 'second' }, 'bytes that nobody has')
    // The last that a publish of new bytes waits for before it asks for a connection: then that is all that is left to run.
    await until(() => lookUps === 3, 'the second is about to ask for a connection')
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    // The rest of the queue, without a request for each.
    const rest = Array.from({ length: 500 }, () => catalogue.probe().catch((error) => error.code))
    const beyond = performance.now()
    expectRetryLater(await admin.put({ file: 'third' }, body))
    expectRetryLater(await admin.delete({ file: 'there' }))
    expect(performance.now() - beyond).toBeLessThan(2_000)

    expectRetryLater(await second)
    const waited = performance.now() - began
    expect(waited).toBeGreaterThan(4_000)
    expect(waited).toBeLessThan(8_000)
    expect((await admin.get({ file: 'there' })).status).toBe(200)
    await letGo()
    expect((await first).status).toBe(201)
    expect(new Set(await Promise.all(rest))).toEqual(new Set(['storage-unavailable']))
    expect((await admin.put({ file: 'second' }, body)).status).toBe(201)
    expect((await blobFiles(stowage.dataDir)).size).toBe(1)
  })

  test('carry no session but the plans of reads: neither settings nor locks or listeners outlive a transaction', async () => {
    await using scene = await withOwnDatabase({ logging_collector: 'on', log_statement: 'all' })
    const { stowage, url } = scene
    const ada = await stowage.user('ada')
    const token = await ada.token(['write:package'])
    for (const file of ['a', 'b']) expect((await token.put({ file }, file)).status).toBe(201)
    expect((await token.put({ file: 'a' }, 'a')).status).toBe(409)
    expect((await token.get({ file: 'a' })).status).toBe(200)
    expect((await token.delete({ file: 'a' })).status).toBe(204)
    expect((await fetch(`${stowage.url}/readyz`)).status).toBe(200)
    await stowage.stowage.runJobs()
    await stowage.stowage.sweep()
    await stowage.stowage.registry.lease.renew()
    await stowage.stowage.registry.lease.expireOthers()
    const [{ log } = {}] = await onServer(url, 'select pg_read_file(pg_current_logfile()) as log')
    const statements = String(log)
      .split('\n')
      .flatMap((line) => /LOG: {2}(?:statement|execute ([^:]*)): (.*)/.exec(line)?.slice(1) ?? [])
    const named = statements.flatMap((name, index) =>
      index % 2 === 0 && name !== undefined && name !== '<unnamed>' ? [`${statements[index + 1]}`] : [],
    )
    const texts = statements.filter((_, index) => index % 2 === 1)
    expect(texts.some((text) => text.startsWith('insert into "files"'))).toBe(true)
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter((text) => !/^select /.test(text) || / for (update|key share|share)\b/.test(text))).toEqual([])
    const outlives =
      /^\s*(set\b(?! local)|prepare\b|listen\b|declare\b|create temp)|pg_(try_)?advisory_lock|;\s*set (?!local)/i
    expect(texts.filter((text) => outlives.test(text))).toEqual([])
  })
})

described('when PostgreSQL is in trouble', () => {
  test('restarted: the next requests work, on connections that are new', async () => {
    await using scene = await withOwnDatabase()
    const { database, stowage } = scene
    const { admin } = stowage
    expect((await admin.put({ file: 'before' }, body)).status).toBe(201)
    for (const ending of ['fast', 'kill'] as const) {
      // Several of each kind, so that more than one has died.
      const many = Array.from({ length: 8 }, (_, number) => number)
      await Promise.all(many.map((number) => admin.put({ file: `${ending}-${number}` }, `${number}`)))
      await Promise.all(many.map(() => admin.get({ file: 'before' })))
      await database.restart(ending)
      const reads = await Promise.all(many.map(() => admin.get({ file: 'before' })))
      expect(reads.map(({ status }) => status)).toEqual(many.map(() => 200))
      expect(await publishAgain(admin, `after-${ending}`)).toBeLessThan(3)
      expect((await admin.get({ file: `after-${ending}` })).status).toBe(200)
    }
  })

  test.each([
    ['download', 'access exclusive', 200, (client: Client) => client.get({ file: 'there' })],
    ['publish', 'share', 201, (client: Client) => client.put({ file: 'new' }, body)],
  ] as const)(
    'a session that ends in the middle of a %s: it goes on with another one',
    async (_, mode, status, ask) => {
      await using stowage = await startStowage()
      const url = await urlOf(stowage)
      expect((await stowage.admin.put({ file: 'there' }, body)).status).toBe(201)
      const holder = await connected(url)
      await holder.query(`begin; lock table files in ${mode} mode`)
      const answer = ask(stowage.admin)
      for (let times = 0; times < 2; times += 1) {
        await until(async () => (await onServer(url, waitingForLock)).length === 1, 'it waits')
        await onServer(url, `select pg_terminate_backend(pid) from (${waitingForLock}) as waiting`)
      }
      await holder.end()
      expect((await answer).status).toBe(status)
    },
  )

  test('stopped: every request is 503, /readyz too, and all is well when it is back', async () => {
    await using scene = await withOwnDatabase()
    const { database, stowage } = scene
    const { admin } = stowage
    expect((await admin.put({ file: 'before' }, body)).status).toBe(201)
    await database.stop('fast')
    for (const answer of await Promise.all([
      admin.get({ file: 'before' }),
      admin.head({ file: 'before' }),
      admin.put({ file: 'during' }, body),
      admin.delete({ file: 'before' }),
      admin.fetch('/api/v1/user'),
    ])) {
      expectRetryLater(answer)
    }
    const ready = await fetch(`${stowage.url}/readyz`)
    // Of the disk nothing was found out.
    expect([ready.status, await ready.text()]).toEqual([503, 'not ready: database cannot be written\n'])
    expect((await fetch(`${stowage.url}/healthz`)).status).toBe(200)
    expect((await blobFiles(stowage.dataDir)).size).toBe(1)
    await database.start()
    expect(await (await admin.get({ file: 'before' })).bytes()).toEqual(body)
    expect(await publishAgain(admin, 'during')).toBe(0)
    await until(async () => (await fetch(`${stowage.url}/readyz`)).status === 200, 'ready again')
  })

  test('without a connection to spare: 503, until there is one', async () => {
    await using scene = await withOwnDatabase({ max_connections: '10', superuser_reserved_connections: '0' })
    const { stowage, url } = scene
    const { admin } = stowage
    expect((await admin.put({ file: 'before' }, body)).status).toBe(201)
    const taken = await takeAllConnections(url, 10)
    expectRetryLater(await admin.get({ file: 'before' }))
    expectRetryLater(await admin.put({ file: 'during' }, body))
    await Promise.all(taken.map((client) => client.end()))
    expect((await admin.get({ file: 'before' })).status).toBe(200)
    expect(await publishAgain(admin, 'during')).toBe(0)
  })

  test('made read-only for every session: reads work, writes are 503, and /readyz says so', async () => {
    await using scene = await withOwnDatabase()
    await expectReadOnly(scene, {
      begin: async () => {
        await onServer(scene.url, `alter database ${nameIn(scene.url)} set default_transaction_read_only = on`)
        await onServer(scene.url, sendOthersAway)
      },
      end: async () => {
        await onServer(
          scene.url,
          `begin read write; alter database ${nameIn(scene.url)} reset default_transaction_read_only; commit`,
        )
        await onServer(scene.url, sendOthersAway)
      },
    })
  })

  test('a standby until it is promoted: reads work, writes are 503, and /readyz says so', async () => {
    await using scene = await withOwnDatabase()
    await expectReadOnly(scene, {
      begin: async () => {
        const [{ data_directory: folder } = {}] = await onServer(scene.url, 'show data_directory')
        await writeFile(join(String(folder), 'standby.signal'), '')
        await scene.database.restart('fast')
      },
      end: async () => {
        await onServer(scene.url, 'select pg_promote()')
      },
    })
  })
})

described('a server that starts', () => {
  test('waits for a database behind something that accepts and hangs up', async () => {
    let hungUp = 0
    const between = createServer((socket) => {
      socket.on('error', () => undefined)
      if (hungUp < 3) {
        hungUp += 1
        socket.destroy()
        return
      }
      const database = connect(target, '127.0.0.1').on('error', () => socket.destroy())
      socket.on('close', () => database.destroy())
      socket.pipe(database).pipe(socket)
    })
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve))
    let target = 0
    try {
      await using stowage = await startStowage({
        databaseUrl: (direct) => {
          const url = new URL(direct)
          target = Number(url.port)
          url.port = String((between.address() as { port: number }).port)
          return url.href
        },
      })
      expect(hungUp).toBe(3)
      expect((await stowage.admin.put({}, body)).status).toBe(201)
    } finally {
      between.close()
    }
  })

  test('says why it cannot: the database is read-only, or has another reason', async () => {
    await using folder = await temporaryFolder()
    await using database = await startPostgres()
    const url = await database.createDatabase()
    const start = () => startStowage({ dataDir: folder.path, settings: { STOWAGE_DATABASE_URL: url } })
    const readOnly = `alter database ${nameIn(url)} set default_transaction_read_only = on`
    const sentence = async () => {
      const result = await start().catch((error: Error) => error)
      return result instanceof Error ? result.message : 'it started'
    }
    await onServer(url, readOnly)
    expect(await sentence()).toMatch(/read-only here \(25006\): .*default_transaction_read_only/)
    await onServer(url, `begin read write; alter database ${nameIn(url)} reset default_transaction_read_only; commit`)
    await (await start()).stop()
    await onServer(
      url,
      `create function full_disk() returns trigger language plpgsql as $$ begin
        raise exception 'no space left' using errcode = '53100'; end $$;
      create trigger full_disk before insert on leases execute function full_disk()`,
    )
    expect(await sentence()).toBe('The database of STOWAGE_DATABASE_URL cannot be used: no space left (53100).')
    const withoutPassword = startStowage({
      dataDir: folder.path,
      settings: { STOWAGE_DATABASE_URL: url.replace(/:[^:@]*@/, '@') },
    })
    await expect(withoutPassword).rejects.toThrow('it asks for a password, and there is none: put it into PGPASSWORD')
    await onServer(url, readOnly)
    expect(await sentence()).toMatch(/read-only here \(25006\)/)
  })
})

const sendOthersAway =
  'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'

async function expectReadOnly(
  { stowage, database }: { stowage: TestStowage; database: PostgresServer },
  { begin, end }: { begin: () => Promise<void>; end: () => Promise<void> },
): Promise<void> {
  const { admin } = stowage
  expect(database.version).not.toBe('')
  expect((await admin.put({ file: 'before' }, body)).status).toBe(201)
  await begin()
  expect(await (await admin.get({ file: 'before' })).bytes()).toEqual(body)
  expect((await admin.get({ file: 'none' })).status).toBe(404)
  expectRetryLater(await admin.put({ file: 'during' }, body))
  expectRetryLater(await admin.delete({ file: 'before' }))
  expect((await admin.put({ file: 'before' }, body)).status).toBe(409)
  const ready = await fetch(`${stowage.url}/readyz`)
  expect([ready.status, await ready.text()]).toEqual([503, 'not ready: database cannot be written\n'])
  expect((await blobFiles(stowage.dataDir)).size).toBe(1)
  await end()
  await publishAgain(admin, 'during')
  await until(async () => (await fetch(`${stowage.url}/readyz`)).status === 200, 'ready again')
}

function nameIn(url: string): string {
  return new URL(url).pathname.slice(1)
}

/** Until the server has none to give, also where the server under test had one. */
async function takeAllConnections(url: string, count: number): Promise<DatabaseClient[]> {
  const taken: DatabaseClient[] = []
  const takeMore = async () => {
    for (;;) {
      const client = await connected(url).catch(() => undefined)
      if (!client) return
      taken.push(client)
    }
  }
  await takeMore()
  await taken[0]?.query(`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'stowage'`)
  await until(async () => {
    await takeMore()
    return taken.length === count
  }, 'the connections of the server under test are taken')
  return taken
}
