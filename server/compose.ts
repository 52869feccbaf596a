import { randomUUID } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Server } from 'bun'
import type { Logger } from 'pino'
import { Access } from './access/access.ts'
import { Accounts } from './access/accounts.ts'
import { type PasswordCost, Passwords } from './access/passwords.ts'
import { Tokens } from './access/tokens.ts'
import type { BlobStore } from './blobs/blob-store.ts'
import { openFileSystemBlobStore } from './blobs/file-system.ts'
import type { AroundStatement } from './catalogue/statement.ts'
import type { Catalogue } from './catalogue/transaction.ts'
import { type Settings, SettingsError } from './config.ts'
import { type DataLock, lockDataDirectory } from './data-lock.ts'
import { openDatabase, openDatabaseForCommand, startProblem } from './database.ts'
import { serveHttp } from './http/app.ts'
import { type JobKind, JobRunner } from './jobs/runner.ts'
import { Schedule } from './jobs/schedule.ts'
import { writeDurably } from './lib/write-durably.ts'
import { Outage } from './outage.ts'
import { Problem } from './problems.ts'
import { completeDigests } from './registry/digests.ts'
import { ProcessLease } from './registry/leases.ts'
import type { RegistryParts } from './registry/parts.ts'
import { digestsJob } from './registry/publish.ts'
import { checkStorage, matchStorage } from './registry/storage-id.ts'
import { type Swept, sweep, sweepJob, tidyOwn } from './registry/sweep.ts'
import { storageIdFile } from './storage-id-file.ts'

/** A server that listens. */
export interface Stowage {
  /** Where it can be reached, without a trailing slash. */
  url: string
  accounts: Accounts
  passwords: Passwords
  registry: RegistryParts
  /** Removes what nothing refers to, now. */
  sweep(): Promise<Swept>
  /** Computes the digests that are asked for, now; resolves with how many jobs that were. */
  runJobs(): Promise<number>
  /** Lets running transfers finish for `grace` milliseconds, then ends everything. */
  stop(grace: number): Promise<void>
}

/** What a test may put in the place of the usual parts. */
export interface Replacements {
  now?: () => number
  /** Of the passwords that are set: hundreds of accounts at the usual one would be most of a test run. */
  passwordCost?: PasswordCost
  /** Wraps the blob store of the file system. */
  blobs?: (store: BlobStore) => BlobStore
  openBlobs?: (folder: string) => Promise<BlobStore>
  /** Stands around every statement; SQLite then runs on this thread. */
  aroundStatement?: AroundStatement
  /** Wraps the catalogue. */
  catalogue?: (catalogue: Catalogue) => Catalogue
  /** Off: nothing is swept or computed but by `sweep` and `runJobs`, so that a test decides when. */
  background?: 'on' | 'off'
}

const { version } = (await Bun.file(new URL('../package.json', import.meta.url)).json()) as { version: string }

export { version }

/** Builds every part from the settings, in the order in which they need each other, and listens. */
export async function compose(settings: Settings, log: Logger, replace: Replacements = {}): Promise<Stowage> {
  const now = replace.now ?? Date.now
  const lock = await takeDataDirectory(settings.dataDir)
  // What was opened is closed in the opposite order, also when a later part cannot be opened.
  const opened: (() => Promise<void> | void)[] = [() => lock.release()]
  const close = async () => {
    for (const release of opened.reverse().splice(0)) await inTime(release())
  }
  try {
    const database = await openDatabase(settings, { release: version, log, around: replace.aroundStatement })
    opened.push(() => database.close())
    const catalogue = replace.catalogue?.(database) ?? database

    const { blobs, storageIsThere } = await openBlobs(settings.dataDir, catalogue, replace)
    opened.push(() => blobs.close())

    const passwords = new Passwords(now, replace.passwordCost)
    const accounts = new Accounts({ catalogue, passwords, now })
    const access = new Access({ catalogue, passwords, now })
    const tokens = new Tokens({ catalogue, now })
    const registry: RegistryParts = {
      catalogue,
      blobs,
      lease: await ProcessLease.take(catalogue, now, {
        holder: await nodeId(settings.dataDir),
        isAlone: settings.databaseUrl === undefined,
      }),
      limits: { maxFileSize: settings.maxFileSize },
      checkStorage: storageIsThere,
      blobGrace: settings.blobGrace,
      now,
      unsettled: new Set(),
      wakeJobs: () => schedule.wake(digestsJob),
    }
    // Best effort: where the database is gone the lease runs out by itself.
    opened.push(() => registry.lease.giveUp().catch(() => undefined))
    const { schedule, runJobs, sweepNow } = await background(registry, log, replace.background ?? 'on')
    // Together: a digest of a huge file is under way for minutes, and is broken off rather than waited for.
    opened.push(async () => {
      await Promise.all([schedule.stop(), blobs.close()])
    })

    let url = ''
    const server = listening(settings, () =>
      serveHttp(
        {
          access,
          accounts,
          tokens,
          registry,
          log,
          version,
          publicUrl: () => settings.publicUrl?.href.replace(/\/$/, '') ?? url,
          prefix: settings.publicUrl?.pathname.split('/').filter(Boolean) ?? [],
          trustedProxies: settings.trustedProxies,
          queryTokens: settings.queryTokens,
        },
        { ...settings.listen, tls: settings.tls },
      ),
    )
    url = addressOf(server, settings)
    schedule.start()
    return {
      url,
      accounts,
      passwords,
      registry,
      sweep: sweepNow,
      runJobs,
      stop: async (grace) => {
        await stopListening(server, grace)
        await close()
      },
    }
  } catch (error) {
    await close()
    throw startProblem(error)
  }
}

/** The data directory, made where it is not there, and held for this process. */
async function takeDataDirectory(dataDir: string): Promise<DataLock> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    return lockDataDirectory(dataDir)
  } catch (error) {
    if (error instanceof Problem) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new SettingsError([`STOWAGE_DATA_DIR is ${JSON.stringify(dataDir)}, but it cannot be used: ${reason}.`])
  }
}

/** A failure to listen is a mistake in one setting, and told as such. */
function listening<T>({ listen }: Settings, start: () => T): T {
  try {
    return start()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!/^E[A-Z]+$/.test(code)) throw error
    const reason = code === 'EADDRINUSE' ? 'another program listens there' : `nothing can listen there (${code})`
    throw new SettingsError([`STOWAGE_LISTEN is "${listen.host}:${listen.port}", but ${reason}.`])
  }
}

/** The accounts of a data directory, for a command: works beside a running server. */
export async function openAccounts(settings: Settings): Promise<{ accounts: Accounts; close: () => Promise<void> }> {
  const catalogue = await openDatabaseForCommand(settings)
  const accounts = new Accounts({ catalogue, passwords: new Passwords(Date.now), now: Date.now })
  return { accounts, close: () => catalogue.close() }
}

/** Names this node: the data directory's own random id. With the host's name, in case the directory was copied to another machine. */
async function nodeId(dataDir: string): Promise<string> {
  const file = join(dataDir, 'node-id')
  const known = (await readFile(file, 'utf8').catch(() => '')).trim()
  const id = known || randomUUID()
  if (!known) await writeDurably(file, `${id}\n`, 0o600)
  return `${hostname()}/${id}`
}

async function openBlobs(dataDir: string, catalogue: Catalogue, replace: Replacements) {
  const folder = join(dataDir, 'blobs')
  const storageId = storageIdFile(dataDir)
  const storageIsThere = async () => checkStorage(catalogue, await storageId.read())
  const store = await (replace.openBlobs?.(folder) ?? openFileSystemBlobStore({ folder, guard: storageIsThere }))
  try {
    await matchStorage(catalogue, storageId)
  } catch (error) {
    await store.close()
    throw error
  }
  return { blobs: replace.blobs?.(store) ?? store, storageIsThere }
}

/** Milliseconds between two looks whether a job of a kind is due, for those that nobody wakes. */
const lookEvery = 5_000

/** The work that no request waits for. */
async function background(registry: RegistryParts, log: Logger, mode: 'on' | 'off') {
  const sweepAll = async (signal?: AbortSignal) => {
    const swept = await sweep(registry, signal)
    if (swept.doomed + swept.leftovers > 0) {
      log.info({ 'sweep.doomed': swept.doomed, 'sweep.leftovers': swept.leftovers }, 'Swept the blob store')
    }
    return swept
  }
  // Four looks within the grace, but neither idle turning nor much more than a minute late.
  const sweepEvery = Math.min(Math.max(registry.blobGrace / 4, 1_000), 60_000)
  const kinds: JobKind[] = [
    // A day of them, so that none is given up because a disk was away for a night.
    { kind: digestsJob, attempts: 36, run: (job) => completeDigests(registry, job) },
    { kind: sweepJob, every: sweepEvery, run: (_, signal) => sweepAll(signal) },
  ]
  const runner = new JobRunner({
    catalogue: registry.catalogue,
    leaseId: () => registry.lease.id,
    now: registry.now,
    kinds,
    failed: (job, error, isLast) =>
      log.error(
        { err: error, 'job.kind': job.kind, 'job.subject': job.subject, 'job.attempts': job.attempts + 1 },
        `The job ${job.kind} ${isLast ? 'failed and was given up' : 'failed and will be tried again'}`,
      ),
  })
  const outage = new Outage(log, registry.now)
  // Each process does these for itself; jobs are done once, by whoever comes first.
  const tasks = [
    {
      name: 'lease',
      every: 20_000,
      run: async () => {
        await registry.lease.renew()
        outage.over()
        for (const id of await registry.lease.expireOthers()) {
          log.warn(
            { 'lease.id': id },
            `Process ${id} was silent for too long: others do its jobs, and what it left is swept`,
          )
        }
      },
    },
    { name: 'tidy', every: sweepEvery, run: () => tidyOwn(registry) },
    ...kinds.map(({ kind, every = lookEvery }) => ({
      name: kind,
      every: Math.min(every, lookEvery),
      run: (signal: AbortSignal) => runner.runDue(kind, signal),
    })),
  ]
  const schedule = new Schedule(mode === 'on' ? tasks : [], (task, error) => {
    if (!outage.noticed(error))
      log.error({ err: error, 'task.name': task.name }, `The background task ${task.name} failed`)
  })
  if (mode === 'on') await runner.ensureRecurring()
  return {
    schedule,
    runJobs: () => runner.runDue(digestsJob),
    sweepNow: async () => {
      let swept: Swept
      try {
        await tidyOwn(registry)
      } finally {
        swept = await sweepAll()
      }
      return swept
    },
  }
}

function addressOf(server: Server<undefined>, settings: Settings): string {
  const { host } = settings.listen
  const shown = host.includes(':') ? `[${host}]` : host
  return `${settings.tls ? 'https' : 'http'}://${shown}:${server.port}`
}

/** Milliseconds for each thing that is closed: a database that stands still must not keep a server from stopping. */
const closingTime = 5_000

async function inTime(closed: Promise<void> | void): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, closingTime)
  await Promise.race([closed, late]).finally(() => clearTimeout(timer))
}

/** Takes no new connection; cuts the running transfers off when their time is over. */
async function stopListening(server: Server<undefined>, grace: number): Promise<void> {
  const until = performance.now() + grace
  const closed = server.stop()
  closed.catch(() => undefined)
  // Requests, not connections: an idle connection, or half a request line, is no transfer.
  while (server.pendingRequests > 0 && performance.now() < until) await Bun.sleep(20)
  await server.stop(true)
}
