import { describe, expect } from 'bun:test'
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { migrations } from '../../server/catalogue/migrations/index.ts'
import { bytesForJob } from '../support/bytes-for-job.ts'
import { onPostgres, onServer } from '../support/database.ts'
import { blobFiles } from '../support/inventory.ts'
import { disorder } from '../support/ledger.ts'
import { freePort, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { testWith } from '../support/programs.ts'
import { seededBytes } from '../support/seeded.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { startStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const described = onPostgres ? describe : describe.skip
const tested = testWith('pgbouncer')

/** Connections to PostgreSQL behind the pooler: fewer than the servers before it have open. */
const poolSize = 3

/** A pooler before one database, in transaction mode: each transaction may meet another session of PostgreSQL. */
class Pgbouncer implements AsyncDisposable {
  readonly url: string
  readonly #child: Subprocess
  readonly #folder: AsyncDisposable

  private constructor(url: string, child: Subprocess, folder: AsyncDisposable) {
    this.url = url
    this.#child = child
    this.#folder = folder
  }

  static async start(databaseUrl: string): Promise<Pgbouncer> {
    const folder = await temporaryFolder()
    const { hostname, port, username, password } = new URL(databaseUrl)
    const own = freePort()
    const config = join(folder.path, 'pgbouncer.ini')
    const users = join(folder.path, 'users')
    await writeFile(users, `"${username}" "${password}"\n`)
    await writeFile(
      config,
      [
        '[databases]',
        `* = host=${hostname} port=${port}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${own}`,
        'unix_socket_dir =',
        'auth_type = scram-sha-256',
        `auth_file = ${users}`,
        'pool_mode = transaction',
        `default_pool_size = ${poolSize}`,
        'max_client_conn = 200',
        `logfile = ${join(folder.path, 'log')}`,
        `pidfile = ${join(folder.path, 'pid')}`,
        '',
      ].join('\n'),
    )
    const user = await unprivileged()
    if (user) for (const path of [folder.path, config, users]) await chown(path, user.uid, user.gid)
    const child = Bun.spawn(['pgbouncer', '-q', config], {
      ...user,
      cwd: folder.path,
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    const url = new URL(databaseUrl)
    url.port = String(own)
    const answers = () =>
      onServer(url.href, 'select 1').then(
        () => true,
        () => child.exitCode !== null,
      )
    await until(answers, 'pgbouncer takes connections')
    if (child.exitCode !== null) {
      throw new Error(`pgbouncer ended: ${await readFile(join(folder.path, 'log'), 'utf8').catch(() => 'no log')}`)
    }
    return new Pgbouncer(url.href, child, folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#child.exited
    await this.#folder[Symbol.asyncDispose]()
  }
}

/** Like PostgreSQL, pgbouncer refuses to run as root. */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(await readFile('/etc/passwd', 'utf8')) ?? []
  if (!uid || !gid) throw new Error('pgbouncer does not run as root, and there is no user "nobody" to run it as')
  return { uid: Number(uid), gid: Number(gid) }
}

async function sessionsAt(database: PostgresServer, url: string): Promise<number> {
  const name = new URL(url).pathname.slice(1)
  const [row] = await onServer(
    database.url(),
    `select count(*)::int as open from pg_stat_activity where datname = '${name}' and backend_type = 'client backend'`,
  )
  return Number(row?.open)
}

described('behind a pooler that hands out sessions by the transaction', () => {
  tested('two servers that start together migrate once; publish, download, delete, jobs and sweeps work', async () => {
    await using database = await startPostgres()
    const direct = await database.createDatabase()
    await using pooler = await Pgbouncer.start(direct)
    await using one = await temporaryFolder()
    await using two = await temporaryFolder()
    await mkdir(join(one.path, 'blobs'))
    await Bun.$`ln -s ${join(one.path, 'blobs')} ${join(two.path, 'blobs')}`
    const settings = {
      STOWAGE_DATABASE_URL: pooler.url,
      STOWAGE_BLOB_GRACE: '0',
      STOWAGE_DATABASE_CONNECTIONS: '16',
      STOWAGE_SECRET_KEY: 'one secret key for both of these servers',
      STOWAGE_LOG_LEVEL: 'error',
    }
    const [first, second] = await Promise.all([one, two].map(({ path }) => ServerProcess.start(path, settings)))
    if (!first || !second) throw new Error('two were started')
    await using _first = first
    await using _second = second
    const nodes = [first, second]
    expect(await onServer(direct, 'select name from kysely_migration')).toHaveLength(Object.keys(migrations).length)

    const files = Array.from({ length: 120 }, (_, number) => ({
      address: { package: `package-${number % 7}`, file: `file-${number}` },
      bytes: number % 3 === 0 ? bytesForJob(number % 40) : seededBytes(1_000 + number, number % 40),
      here: nodes[number % 2] as ServerProcess,
      there: nodes[(number + 1) % 2] as ServerProcess,
    }))
    let most = 0
    const published = await Promise.all(
      files.map(async ({ address, bytes, here }, number) => {
        if (number % 20 === 0) most = Math.max(most, await sessionsAt(database, direct))
        return (await here.admin.put(address, bytes)).status
      }),
    )
    expect(published).toEqual(files.map(() => 201))
    expect(most).toBeLessThanOrEqual(poolSize)
    const read = await Promise.all(
      files.map(async ({ address, bytes, there }) =>
        Bun.deepEquals(await (await there.admin.get(address)).bytes(), bytes),
      ),
    )
    expect(read).toEqual(files.map(() => true))
    const again = await Promise.all(
      files.map(async ({ address, there }) => (await there.admin.put(address, 'x')).status),
    )
    expect(again).toEqual(files.map(() => 409))

    const jobs = "select id from jobs where kind = 'digests'"
    await until(async () => (await onServer(direct, jobs)).length === 0, 'every digest is computed', 60_000)
    expect(await onServer(direct, 'select id from blobs where md5 is null or sha1 is null or sha512 is null')).toEqual(
      [],
    )
    for (const { url } of nodes) expect((await fetch(`${url}/readyz`)).status).toBe(200)

    const deleted = await Promise.all(
      files.map(async ({ address, there }) => (await there.admin.delete(address)).status),
    )
    expect(deleted).toEqual(files.map(() => 204))
    expect(await onServer(direct, disorder)).toEqual([])
    await until(async () => (await blobFiles(one.path)).size === 0, 'the regular sweep has removed all bytes', 30_000)
    expect(await onServer(direct, 'select id from packages')).toEqual([])
    for (const node of nodes) {
      expect(await node.stop()).toBe(0)
      expect(node.errors).toBe('')
    }
    expect(await onServer(direct, 'select id from leases where dead_since is null')).toEqual([])
  })

  tested('where all its sessions hang, a request is 503 in time, and works again after that', async () => {
    await using database = await startPostgres()
    const direct = await database.createDatabase()
    await using pooler = await Pgbouncer.start(direct)
    await using stowage = await startStowage({ settings: { STOWAGE_DATABASE_URL: pooler.url } })
    expect((await stowage.admin.put({}, 'bytes')).status).toBe(201)
    await database.pause()
    const answers = await Promise.all([stowage.admin.get(), stowage.admin.put({ file: 'b' }, 'b')])
    for (const { status, headers } of answers) expect([status, headers.has('retry-after')]).toEqual([503, true])
    database.resume()
    await until(async () => (await stowage.admin.put({ file: 'c' }, 'c')).status === 201, 'a publish works again')
    expect(await (await stowage.admin.get()).text()).toBe('bytes')
  })
})
