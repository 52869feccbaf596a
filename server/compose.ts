import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Accounts } from './access/accounts.ts'
import { type PasswordCost, Passwords } from './access/passwords.ts'
import { type Forgotten, forgetSecrets, matchSecretKey, mustBeFirstKey } from './access/secret-key.ts'
import type { Sessions } from './access/sessions.ts'
import { background } from './background.ts'
import type { BlobStore } from './blobs/blob-store.ts'
import { openFileSystemBlobStore } from './blobs/file-system.ts'
import { workerOf } from './catalogue/leases.ts'
import { mustHaveFilesOnDisk } from './catalogue/move.ts'
import { countSecrets } from './catalogue/second-factors.ts'
import type { SqliteThread } from './catalogue/sqlite-thread.ts'
import type { AroundStatement } from './catalogue/statement.ts'
import type { Catalogue } from './catalogue/transaction.ts'
import type { Settings } from './config.ts'
import { joinDataDirectory, takeDataDirectory } from './data-lock.ts'
import { databaseFile, openDatabase, openDatabaseForCommand, startProblem } from './database.ts'
import { type Pages, serveHttp, type WatchAnswers } from './http/app.ts'
import type { HttpServer, Serve } from './http/http-server.ts'
import type { HttpParts } from './http/parts.ts'
import { RefusedSignIns } from './http/refused-sign-ins.ts'
import type { OutgoingLimits, OutgoingParts } from './lib/outgoing.ts'
import type { S3Place } from './lib/s3-place.ts'
import { SecretKey } from './lib/sealed.ts'
import { Turns } from './lib/turns.ts'
import { writeDurably } from './lib/write-durably.ts'
import { listening } from './listening.ts'
import type { WorkerMetrics } from './metrics/metrics.ts'
import { watchedBlobs, watchedCatalogue } from './metrics/watched.ts'
import { composePeople } from './people.ts'
import { composePublishing } from './publishing.ts'
import { DownloadCounts } from './registry/downloads.ts'
import { type Holder, ProcessLease } from './registry/leases.ts'
import { nobody } from './registry/observer.ts'
import type { RegistryParts } from './registry/parts.ts'
import { checkStorage, matchStorage, rememberStorage } from './registry/storage-id.ts'
import type { Swept } from './registry/sweep.ts'
import { knownSecretKey, secretKey, secretKeyFile } from './secret-key-file.ts'
import { composeSingleSignOn } from './single-sign-on.ts'
import { storageIdFile } from './storage-id-file.ts'
import { composeWebhooks } from './webhooks.ts'

/** A server that listens. */
export interface Stowage {
  /** Where it can be reached, without a trailing slash. */
  url: string
  accounts: Accounts
  passwords: Passwords
  sessions: Sessions
  registry: RegistryParts
  /** Removes what nothing refers to, now. */
  sweep(): Promise<Swept>
  /** Does the jobs of a kind that are due, now; resolves with how many that were. No kind: the digests that are asked for. */
  runJobs(kind?: string): Promise<number>
  /** Writes down when tokens and sessions were last used, now. */
  flushUses(): Promise<void>
  /** Writes down who has signed in, or could not, now; at the `end` also what was only counted. */
  flushSignIns(end?: boolean): Promise<void>
  /** Writes down how often files were downloaded, now. */
  flushDownloads(): Promise<void>
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
  /** SQLite's thread, where it was started already. */
  thread?: SqliteThread | undefined
  /** Which of several processes this is. */
  worker?: WorkerPlace | undefined
  /** Stands around every statement; SQLite then runs on this thread. */
  aroundStatement?: AroundStatement
  /** How webhooks are sent. */
  outgoing?: Partial<Pick<OutgoingParts, 'resolve' | 'ca'>> & { limits?: Partial<OutgoingLimits> }
  /** Wraps the catalogue. */
  catalogue?: (catalogue: Catalogue) => Catalogue
  /** Sees every answer before it goes out, and may put another one in its place. */
  watchAnswers?: WatchAnswers
  /** Plain: a request with an empty segment in its address is answered 599, and the server starts in half the time. */
  addresses?: 'every' | 'plain'
  /** Milliseconds for which a small file is waited for on this thread. */
  diskPatience?: number
  /** Off: every download goes the usual way. */
  hotDownloads?: 'on' | 'off'
  /** Off: nothing is swept or computed but by `sweep`, `runJobs` and `flush…`, so that a test decides when. */
  background?: 'on' | 'off'
}

/** The place of one of several processes on a data directory, whose lock the process has that starts them. */
export interface WorkerPlace {
  /** From 1. */
  number: number
  /** Whether none of the others has been started yet. */
  isFirst: boolean
  /** Where all of them listen; 0 takes a free one. */
  port: number
  /** What the others have counted. */
  siblings(): Promise<readonly WorkerMetrics[]>
  /** How others learn what this one has counted. */
  answerSiblings(count: () => Promise<WorkerMetrics>): void
}

const { version } = (await Bun.file(new URL('../package.json', import.meta.url)).json()) as { version: string }

export { version }

/** Builds every part from the settings, in the order in which they need each other, and listens. */
export async function compose(settings: Settings, log: Logger, replace: Replacements = {}): Promise<Stowage> {
  const now = replace.now ?? Date.now
  const { worker } = replace
  const lock = worker ? joinDataDirectory(settings.dataDir) : await takeDataDirectory(settings.dataDir)
  // What was opened is closed in the opposite order, also when a later part cannot be opened.
  const opened: (() => Promise<void> | void)[] = [() => lock.release()]
  const close = async () => {
    for (const release of opened.reverse().splice(0)) await inTime(release())
  }
  try {
    const knownKey = await knownSecretKey(settings)
    const metrics = await metricsFor(settings, now, worker)
    const database = await openDatabase(settings, {
      release: version,
      log,
      around: replace.aroundStatement,
      readFailed: metrics && ((error) => metrics.databaseFailed('read', error)),
      thread: replace.thread,
      answers: worker ? 'beside others' : 'alone',
    })
    opened.push(() => database.close())
    const replaced = replace.catalogue?.(database) ?? database
    const catalogue = metrics
      ? watchedCatalogue(replaced, (error) => metrics.databaseFailed('transaction', error))
      : replaced

    const { blobs: store, storageId, storageIsThere } = await openBlobs(settings, catalogue, log, replace)
    opened.push(() => store.close())
    const blobs = metrics ? watchedBlobs(store, (...failure) => metrics.storeFailed(...failure)) : store
    if (knownKey === undefined) {
      const isNewNode = !existsSync(nodeIdFile(settings.dataDir)) && !existsSync(databaseFile(settings.dataDir))
      await mustBeFirstKey(catalogue, secretKeyFile(settings), isNewNode)
    }
    const secrets = new SecretKey(knownKey ?? (await secretKey(settings)))
    await matchSecretKey(catalogue, secrets)

    let url = ''
    const publicUrl = () => settings.publicUrl?.href.replace(/\/$/, '') ?? url
    const people = composePeople({
      ...{ catalogue, settings, secrets, now, publicUrl },
      passwordCost: replace.passwordCost,
      wake: (kind) => schedule.wake(kind),
    })
    const { mailer, lastUses, signIns } = people
    if (mailer) opened.push(() => mailer.close())
    const registry: RegistryParts = {
      catalogue,
      blobs,
      lease: await ProcessLease.take(
        catalogue,
        now,
        {
          ...holderOf(await nodeId(settings.dataDir), settings.databaseUrl === undefined, worker),
          storageId,
        },
        once(() => log.error(placeTaken)),
      ),
      limits: { maxFileSize: settings.maxFileSize },
      downloads: new DownloadCounts({ catalogue, now, wake: (kind) => schedule.wake(kind) }),
      searches: new Turns({ atOnce: 3, line: 100, patience: 10_000 }),
      checkStorage: storageIsThere,
      blobGrace: settings.blobGrace,
      linkLifetime: settings.linkLifetime,
      now,
      unsettled: new Set(),
      reserving: new Set(),
      wake: (kind) => schedule.wake(kind),
      observer: metrics ?? nobody,
      openRequests: () => server.pendingRequests,
    }
    // Best effort: where the database is gone the lease runs out by itself, and what was counted in the last minute is lost.
    opened.push(async () => {
      await Promise.allSettled([
        registry.lease.giveUp(),
        lastUses.flush(),
        signIns.flush(true),
        registry.downloads.flush(),
      ])
    })
    const { webhooks, jobs: webhookJobs } = composeWebhooks({
      ...{ registry, settings, secrets, publicUrl, version },
      outgoing: replace.outgoing,
    })
    const { jobs: identityJobs, ...singleSignOn } = composeSingleSignOn({
      ...{ catalogue, settings, secrets, signIns, now, publicUrl, log },
      outgoing: replace.outgoing,
    })
    const { jobs: publishingJobs, ...publishing } = composePublishing({
      ...{ catalogue, issuers: settings.publishers, publicUrl, now, outgoing: replace.outgoing },
      failed: ({ url: issuer }, error) =>
        log.warn({ err: error, 'issuer.url': issuer }, `The issuer ${issuer} does not tell the keys of its ID tokens`),
    })
    const { schedule, runJobs, sweepNow } = await background(
      registry,
      { ...people.requests, lastUses, signIns, linkJobs: people.linkJobs, webhookJobs, publishingJobs, identityJobs },
      log,
      replace.background ?? 'on',
    )
    // Together: a digest of a huge file is under way for minutes, and is broken off rather than waited for.
    opened.push(async () => {
      await Promise.all([schedule.stop(), blobs.close()])
    })

    const parts: HttpParts = {
      ...people.requests,
      ...publishing,
      ...singleSignOn,
      registry,
      webhooks,
      log,
      refusedSignIns: new RefusedSignIns(log, now),
      metrics,
      version,
      publicUrl,
      prefix: settings.publicUrl?.pathname.split('/').filter(Boolean) ?? [],
      trustedProxies: settings.trustedProxies,
      proxySignInHeader: settings.proxySignInHeader,
      cookie: {
        isSecure: settings.publicUrl?.protocol === 'https:' || settings.tls !== undefined,
        lifetime: settings.sessionLifetime,
      },
      origin: settings.publicUrl?.origin,
      queryTokens: settings.queryTokens,
      changes: replace.hotDownloads === 'off' ? undefined : catalogue.changes,
      corsOrigins: settings.corsOrigins,
      sendsMail: mailer !== undefined,
      startedAt: now(),
      settings: settings.shown,
    }
    const pages = pagesWhenAsked(parts)
    const where = worker ? { host: settings.listen.host, port: worker.port, reusePort: true } : settings.listen
    const listen = { ...where, tls: settings.tls, addresses: replace.addresses, serve: await serveFor(settings) }
    const server = listening(settings, () => serveHttp(parts, pages, listen, replace.watchAnswers))
    metrics?.watch(registry)
    url = addressOf(server, settings)
    schedule.start()
    return {
      url,
      accounts: people.requests.accounts,
      passwords: people.passwords,
      sessions: people.requests.sessions,
      registry,
      sweep: sweepNow,
      runJobs,
      flushUses: () => lastUses.flush(),
      flushSignIns: (end) => signIns.flush(end),
      flushDownloads: () => registry.downloads.flush(),
      stop: async (grace) => {
        await stopListening(server, grace)
        await close()
      },
    }
  } catch (error) {
    await close()
    throw await startProblem(error)
  }
}

const placeTaken =
  "Another process has taken this node's place: was node-id copied to another data directory? Remove it there and restart."

/** Each takes the place back, so it would be told every few seconds. */
function once(tell: () => void): () => void {
  let isTold = false
  return () => {
    if (!isTold) tell()
    isTold = true
  }
}

/** Loaded when the first one is asked for: a server that only programs call does without them, and without their libraries. */
function pagesWhenAsked(parts: HttpParts): Pages {
  let loaded: Pages | undefined
  const load = async () => {
    const { pagesApp } = await import('./pages/app.ts')
    loaded ??= pagesApp(parts)
    return loaded
  }
  return {
    fetch: async (request, calling) => (loaded ?? (await load())).fetch(request, calling),
    fail: async (request, calling, error) => (loaded ?? (await load())).fail(request, calling, error),
    // Until then none of them has answered.
    router: { match: (method, path) => loaded?.router.match(method, path) ?? [[]] },
  }
}

/** Undefined where the runtime's own server does: files on a disk are no streams. */
async function serveFor({ s3 }: Settings): Promise<Serve | undefined> {
  return s3 && (await import('./http/node-server.ts')).serveByNode
}

/** Undefined where nobody may see them: then nothing is counted, and their library is not loaded. */
async function metricsFor(
  { metricsToken: token, metricsAddresses: addresses }: Settings,
  now: () => number,
  worker: WorkerPlace | undefined,
) {
  if (token === undefined && addresses === undefined) return undefined
  const { Metrics } = await import('./metrics/metrics.ts')
  const metrics = new Metrics({ version, access: { token, addresses }, now, worker })
  worker?.answerSiblings(() => metrics.ofThisProcess())
  return metrics
}

/** The accounts of a data directory, for a command: works beside a running server. */
export async function openAccounts(settings: Settings): Promise<{ accounts: Accounts; close: () => Promise<void> }> {
  const catalogue = await openDatabaseForCommand(settings)
  const accounts = new Accounts({ catalogue, passwords: new Passwords(Date.now), now: Date.now })
  return { accounts, close: () => catalogue.close() }
}

/** The secrets of a stopped installation, for a command; `secret-key` is made where there is none. */
export async function openSecrets(settings: Settings) {
  const catalogue = await openDatabaseForCommand(settings)
  try {
    const lock = await takeDataDirectory(settings.dataDir)
    const close = async () => {
      await catalogue.close()
      lock.release()
    }
    return {
      count: (): Promise<Forgotten> => countSecrets(catalogue.read),
      forget: async (): Promise<Forgotten> => {
        const check = new SecretKey(await secretKey(settings)).check()
        return catalogue.transact(forgetSecrets, { check, now: Date.now() })
      },
      close,
    }
  } catch (error) {
    await catalogue.close()
    throw error
  }
}

/** Names this node: the data directory's own random id. With the host's name, in case the directory was copied to another machine. */
async function nodeId(dataDir: string): Promise<string> {
  const file = nodeIdFile(dataDir)
  const known = (await readFile(file, 'utf8').catch(() => '')).trim()
  const id = known || randomUUID()
  if (!known) await writeDurably(file, `${id}\n`, 0o600)
  return `${hostname()}/${id}`
}

function nodeIdFile(dataDir: string): string {
  return join(dataDir, 'node-id')
}

/** Who takes the lock of the data directory, or is the first to join it, knows that no other process of it lives. */
function holderOf(node: string, isOnlyNode: boolean, worker: WorkerPlace | undefined): Omit<Holder, 'storageId'> {
  const holder = worker ? workerOf(node, worker.number) : node
  if (worker && !worker.isFirst) return { holder, predecessors: { holder } }
  return { holder, predecessors: isOnlyNode ? 'all' : { node } }
}

/** Where the files are, and what that place says about whose they are. */
async function openBlobs(settings: Settings, catalogue: Catalogue, log: Logger, replace: Replacements) {
  const { store, storageId: place } = await (settings.s3 && !replace.openBlobs
    ? openBucket(settings.s3, catalogue, log)
    : openFolder(settings.dataDir, catalogue, replace))
  try {
    const storageId = await matchStorage(catalogue, place)
    const storageIsThere = () => checkStorage(catalogue, place)
    return { blobs: replace.blobs?.(store) ?? store, storageId, storageIsThere }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function openFolder(dataDir: string, catalogue: Catalogue, replace: Replacements) {
  await mustHaveFilesOnDisk(catalogue.read)
  const folder = join(dataDir, 'blobs')
  const storageId = storageIdFile(dataDir)
  const guard = () => checkStorage(catalogue, storageId)
  const store = await (replace.openBlobs?.(folder) ??
    openFileSystemBlobStore({ folder, guard, patience: replace.diskPatience }))
  return { store, storageId }
}

/** Loaded where it is needed: a server with a disk does without the AWS SDK. */
async function openBucket(place: S3Place, catalogue: Catalogue, log: Logger) {
  const [{ openS3 }, { storageIdObject }] = await Promise.all([
    import('./blobs/s3-open.ts'),
    import('./storage-id-object.ts'),
  ])
  const waits = (reason: string) =>
    log.warn({ 'problem.cause': reason }, 'The S3 store cannot be used yet: trying again')
  const { store, clients, checksums, unfinishedHidden } = await openS3(place, { waits })
  const bucket = { 's3.bucket': place.bucket, 's3.prefix': place.prefix, 's3.endpoint': place.endpoint }
  const said = checksums === 'WHEN_SUPPORTED' ? 'and compares checksums (CRC32)' : 'and takes no newer checksums'
  log.info({ ...bucket, 's3.checksums': checksums }, `Files are in the S3 bucket ${place.bucket}: it works ${said}`)
  if (unfinishedHidden !== undefined) {
    log.warn(
      { ...bucket, 'problem.cause': unfinishedHidden },
      'The S3 store does not list multipart uploads that were not completed: what a crash leaves of them stays, unless a rule of the bucket removes it',
    )
  }
  const remember = (id: string) => catalogue.transact(rememberStorage, { id })
  return { store, storageId: storageIdObject(place, clients, remember) }
}

function addressOf(server: HttpServer, settings: Settings): string {
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
async function stopListening(server: HttpServer, grace: number): Promise<void> {
  const until = performance.now() + grace
  const closed = server.stop()
  closed.catch(() => undefined)
  // Requests, not connections: an idle connection, or half a request line, is no transfer.
  while (server.pendingRequests > 0 && performance.now() < until) await Bun.sleep(20)
  await server.stop(true)
}
