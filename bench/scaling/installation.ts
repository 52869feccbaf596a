import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { Client } from 'pg'
import { s3Client } from '../../server/blobs/s3-client.ts'
import { freePort, type PostgresServer, startPostgres } from '../../test/support/postgres.ts'
import { startReferenceNginx } from '../../test/support/reference-nginx.ts'
import { Failure } from '../failure.ts'
import { findNginx } from '../nginx.ts'
import { parentOf } from '../process-cost.ts'
import { launch } from '../servers.ts'
import { type Stowage, startStowage } from '../stowage.ts'

export const bucket = 'stowage-files'
const keys = { accessKeyId: 'bench', secretAccessKey: 'bench-secret-key' }

/** What nodes share. */
export interface Shared extends AsyncDisposable {
  readonly postgresVersion: string
  readonly postgresPid: number
  readonly s3Pid: number
  readonly s3: { endpoint: string; bucket: string; region: string; credentials: typeof keys }
  /** Settings of a node on a database of its own, or on that one. */
  readonly settings: Record<string, string>
}

export async function startShared(folder: string, stop: AbortSignal): Promise<Shared> {
  await using starting = new AsyncDisposableStack()
  const durable = { fsync: 'on', full_page_writes: 'on', shared_buffers: '256MB', max_wal_size: '1GB' }
  const postgres = starting.use(await startPostgres({ settings: durable }))
  const databaseUrl = await postgres.createDatabase()
  const store = starting.use(await startVersity(folder, stop))
  const place = { bucket, region: 'us-east-1', endpoint: store.origin, credentials: keys }
  const client = s3Client({ ...place, prefix: '', pathStyle: true }, 'WHEN_REQUIRED')
  await client.send(new CreateBucketCommand({ Bucket: bucket })).finally(() => client.destroy())
  const held = starting.move()
  return {
    postgresVersion: postgres.version,
    postgresPid: await postmaster(postgres),
    s3Pid: store.pid,
    s3: place,
    settings: {
      STOWAGE_DATABASE_URL: databaseUrl,
      STOWAGE_SECRET_KEY: 'one secret key for all nodes of this benchmark',
      STOWAGE_TRUSTED_PROXIES: '127.0.0.1',
      STOWAGE_S3_BUCKET: bucket,
      STOWAGE_S3_ENDPOINT: store.origin,
      STOWAGE_S3_ACCESS_KEY_ID: keys.accessKeyId,
      STOWAGE_S3_SECRET_ACCESS_KEY: keys.secretAccessKey,
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** Nodes, and before so many of them a load balancer each. */
export interface Nodes extends AsyncDisposable {
  readonly all: readonly [Stowage, ...Stowage[]]
  behindNginx(count: number): { readonly origin: string; readonly pid: number }
}

export interface NodesOptions {
  readonly entry: string
  readonly folder: string
  readonly counts: readonly number[]
  readonly settings: Record<string, string>
  readonly stop: AbortSignal
}

export async function startNodes({ entry, folder, counts, settings, stop }: NodesOptions): Promise<Nodes> {
  const nginx = findNginx()
  if (!nginx) throw new Failure('nginx is not installed, and nodes stand behind it here: apt-get install nginx-light')
  await using starting = new AsyncDisposableStack()
  const start = async (number: number) => {
    const place = join(folder, `node-${number}`)
    await mkdir(place, { recursive: true })
    // A port that is known before: nginx must be told.
    const own = { ...settings, STOWAGE_LISTEN: `127.0.0.1:${freePort()}` }
    return starting.use(await startStowage(entry, place, stop, join(place, 'data'), own))
  }
  // The first one makes tables and account.
  const all: [Stowage, ...Stowage[]] = [await start(1)]
  for (let number = 2; number <= Math.max(...counts); number += 1) all.push(await start(number))
  const balancers = new Map<number, { origin: string; pid: number }>()
  for (const count of counts) {
    const ports = all.slice(0, count).map(({ origin }) => Number(new URL(origin).port))
    const { url, pid } = starting.use(await startReferenceNginx(nginx, ports))
    balancers.set(count, { origin: url, pid })
  }
  const held = starting.move()
  return {
    all,
    behindNginx: (count) => {
      const balancer = balancers.get(count)
      if (!balancer) throw new Error(`no load balancer before ${count} nodes`)
      return balancer
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

async function startVersity(folder: string, stop: AbortSignal) {
  const installed = join(homedir(), 'go/bin/versitygw')
  const program = Bun.which('versitygw') ?? ((await Bun.file(installed).exists()) ? installed : undefined)
  if (!program) {
    throw new Failure('versitygw is not installed: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0')
  }
  const place = join(folder, 's3')
  await mkdir(place)
  const port = freePort()
  const origin = `http://127.0.0.1:${port}`
  const access = ['--access', keys.accessKeyId, '--secret', keys.secretAccessKey]
  return await launch({
    name: 'versitygw',
    command: [program, '--port', `127.0.0.1:${port}`, ...access, '--keep-alive', '--quiet', 'posix', place],
    folder,
    logFile: join(folder, 's3.log'),
    findOrigin: () =>
      fetch(origin).then(
        () => origin,
        () => undefined,
      ),
    stop,
  })
}

/** The process whose children all others of this server are. */
async function postmaster(postgres: PostgresServer): Promise<number> {
  const client = new Client({ connectionString: postgres.url() })
  await client.connect()
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    return parentOf(rows[0]?.pid ?? 0)
  } finally {
    await client.end()
  }
}
