import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobStore } from '../../server/blobs/blob-store.ts'
import { straight } from '../../server/catalogue/statement.ts'
import { compose, type Replacements, type Stowage } from '../../server/compose.ts'
import { readSettings } from '../../server/config.ts'
import { takeDataDirectory } from '../../server/data-lock.ts'
import { openLog } from '../../server/log.ts'
import { behindItsBack, databaseSettings, dropDatabaseOf, layDatabase, onPostgres } from './database.ts'
import { onlyDocumented } from './documented-answers.ts'
import { asOne, usualNodes } from './nodes.ts'
import { roomyPlace } from './roomy-place.ts'
import { SpreadingProxy } from './spreading-proxy.ts'
import { onS3, storeSettings, tellingWhatIsStaged } from './store.ts'

/** Whether downloads go without what makes them quick. */
export const isCold = process.env.TEST_HOT_DOWNLOADS === 'off'

export const adminPassword = 'admin-Pass-1234'

export interface StartOptions {
  /** `STOWAGE_…` variables beside those that every test server has. */
  settings?: Record<string, string>
  replace?: Replacements
  /** Puts another way to the test's database in the place of the direct one. PostgreSQL only. */
  databaseUrl?: (direct: string) => string
  /** Whether SQLite has its thread, as a server that was started by `npm start` has. */
  thread?: boolean
  /** A data directory to begin with; else a fresh one, removed at the end. */
  dataDir?: string
  /** Several behind a proxy that sends each request to the next one; on SQLite they are workers on one data directory. */
  nodes?: number
}

/** A file's address below an owner. */
export interface FileAddress {
  owner?: string
  package?: string
  version?: string
  file?: string
}

/** A real server with its own data, listening on a free port of this machine, in this process. */
export class TestStowage {
  readonly stowage: Stowage
  readonly dataDir: string
  /** Where there are several, each of them as a server of its own. */
  readonly nodes: readonly TestStowage[]
  readonly #ownsData: boolean

  constructor(stowage: Stowage, dataDir: string, ownsData: boolean, nodes: readonly TestStowage[] = []) {
    this.stowage = stowage
    this.dataDir = dataDir
    this.#ownsData = ownsData
    this.nodes = nodes
  }

  get url(): string {
    return this.stowage.url
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  /** The administrator that every test server has. */
  get admin(): Client {
    return new Client(this.url, 'admin', { Authorization: basic('admin', adminPassword) })
  }

  get anonymous(): Client {
    return new Client(this.url, 'admin', {})
  }

  /** A new user, who calls by password. */
  async user(name: string, fields: Record<string, unknown> = {}): Promise<Client> {
    const password = `${name}-Pass-1234`
    const body = { username: name, email: `${name.toLowerCase()}@example.com`, password, ...fields }
    const response = await this.admin.post('/api/v1/admin/users', body)
    if (response.status !== 201) throw new Error(`user ${name}: ${response.status} ${await response.text()}`)
    return new Client(this.url, name, { Authorization: basic(name, String(body.password)) })
  }

  /** Runs a statement on the database as another process would; answers its rows. */
  change(sql: string): Promise<Record<string, unknown>[]> {
    return behindItsBack(this.dataDir, sql)
  }

  async stop(): Promise<void> {
    await this.stowage.stop(5_000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stowage.stop(0)
    if (!this.#ownsData) return
    await rm(this.dataDir, { recursive: true, force: true })
    await dropDatabaseOf(this.dataDir)
  }
}

export async function startStowage(options: StartOptions = {}): Promise<TestStowage> {
  const { settings = {}, databaseUrl = (direct: string) => direct, nodes = usualNodes } = options
  const folder = options.dataDir ?? (await mkdtemp(join(await roomyPlace(), 'stowage-test-')))
  if (options.dataDir === undefined) await layDatabase(folder)
  const database = await databaseSettings(folder)
  if (database.STOWAGE_DATABASE_URL) database.STOWAGE_DATABASE_URL = databaseUrl(database.STOWAGE_DATABASE_URL)
  const all = { ...database, ...(await storeSettings(folder)), ...settings }
  const ownsData = options.dataDir === undefined
  if (nodes > 1) return startNodes(nodes, folder, ownsData, { ...options, settings: all })
  const stowage = await startNode(folder, folder, { ...options, settings: all })
  await stowage.accounts.createFirst({ name: 'admin', password: adminPassword })
  return new TestStowage(stowage, folder, ownsData)
}

/** One server in this process. `of`: the data directory whose database and files it works with. */
async function startNode(
  dataDir: string,
  of: string,
  { settings, replace = {}, thread = false }: StartOptions,
  worker?: Replacements['worker'],
): Promise<Stowage> {
  const parsed = readSettings({
    STOWAGE_LISTEN: '127.0.0.1:0',
    STOWAGE_DATA_DIR: dataDir,
    STOWAGE_LOG_LEVEL: 'silent',
    ...settings,
  })
  return compose(parsed, await openLog({ format: 'json', level: parsed.logLevel }), {
    background: 'off',
    watchAnswers: onlyDocumented,
    addresses: 'plain',
    // Whether the suite holds without them is a run of its own: npm run test:cold.
    hotDownloads: isCold ? 'off' : 'on',
    // What is kept in memory must not depend on how busy the machine is.
    diskPatience: Infinity,
    passwordCost: { memoryCost: 8, timeCost: 1 },
    // A thread of its own for SQLite takes as long to start as all the rest of a server.
    ...(thread ? {} : { aroundStatement: straight }),
    ...replace,
    worker,
    blobs: (store) => {
      const its = tellingWhatIsStaged(of, isCold ? withoutReadingAtOnce(store) : store)
      return replace.blobs?.(its) ?? its
    },
  })
}

/** Every file is sent by the runtime, as large ones are. */
function withoutReadingAtOnce(store: BlobStore): BlobStore {
  return new Proxy(store, {
    get: (target, name: keyof BlobStore) => {
      if (name === 'bytesAtOnce') return undefined
      const value = target[name]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Nodes on one database and one store, each with a port of its own. */
async function startNodes(count: number, folder: string, ownsData: boolean, options: StartOptions) {
  const proxy = await SpreadingProxy.start()
  // By its name where the server has one: passkeys belong to a name.
  const isNamed = options.settings?.STOWAGE_LISTEN?.startsWith('localhost:')
  const url = isNamed ? proxy.url.replace('127.0.0.1', 'localhost') : proxy.url
  const settings = { STOWAGE_PUBLIC_URL: url, STOWAGE_SECRET_KEY: nodesKey, ...options.settings }
  const all = { ...options, settings }
  const { folders, started, leave } = await (onPostgres
    ? startOnFolders(count, folder, all)
    : startWorkers(count, folder, all))
  const nodes = started.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []))
  const end = async () => {
    await proxy[Symbol.asyncDispose]()
    await leave()
  }
  const failed = started.find((it) => it.status === 'rejected')
  const [first, ...more] = nodes
  if (failed || !first) {
    await Promise.all(nodes.map((node) => node.stop(0)))
    await end()
    throw failed?.reason
  }
  proxy.spreadOver(nodes.map(({ url }) => url))
  const whole = asOne(url, [first, ...more])
  const stop = async (grace: number) => {
    await whole.stop(grace)
    await end()
  }
  await first.accounts.createFirst({ name: 'admin', password: adminPassword })
  const each = nodes.map((node, index) => new TestStowage(node, folders[index] ?? folder, false))
  return new TestStowage({ ...whole, stop }, folder, ownsData, each)
}

async function startOnFolders(count: number, folder: string, options: StartOptions) {
  const others = await Promise.all(Array.from({ length: count - 1 }, () => besideIt(folder)))
  const folders = [folder, ...others]
  const started = await Promise.allSettled(folders.map((its) => startNode(its, folder, options)))
  const leave = async () => {
    for (const its of others) await rm(its, { recursive: true, force: true })
  }
  return { folders, started, leave }
}

/** As `STOWAGE_WORKERS` has them, but in this process, and each at an address of its own. */
async function startWorkers(count: number, folder: string, options: StartOptions) {
  const lock = await takeDataDirectory(folder)
  lock.share()
  // A test may stop its server before its end.
  const held = [lock]
  const startWorker = (number: number) =>
    startNode(folder, folder, options, {
      ...{ number, isFirst: number === 1, port: 0 },
      siblings: async () => [],
      answerSiblings: () => {},
    })
  const others = Array.from({ length: count - 1 }, (_, index) => index + 2)
  const started = [
    ...(await Promise.allSettled([startWorker(1)])),
    ...(await Promise.allSettled(others.map(startWorker))),
  ]
  return {
    folders: started.map(() => folder),
    started,
    leave: async () => held.pop()?.release(),
  }
}

export const nodesKey = 'the secret key of all nodes that a test starts'

/** A data directory for one more node: with the same files, where these are on a disk. */
async function besideIt(folder: string): Promise<string> {
  const beside = await mkdtemp(join(await roomyPlace(), 'stowage-node-'))
  if (onS3) return beside
  await mkdir(join(folder, 'blobs'), { recursive: true, mode: 0o700 })
  await symlink(join(folder, 'blobs'), join(beside, 'blobs'))
  return beside
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

type LookAtAnswer = (method: string, url: string, response: Response) => Promise<void>

/** Somebody who calls a server, with his credentials in every request. */
export class Client {
  readonly name: string
  readonly #base: string
  readonly #headers: Record<string, string>
  readonly #look: LookAtAnswer | undefined

  constructor(base: string, name: string, headers: Record<string, string>, look?: LookAtAnswer) {
    this.#base = base
    this.name = name
    this.#headers = headers
    this.#look = look
  }

  /** The same person with other credentials. */
  with(headers: Record<string, string>): Client {
    return new Client(this.#base, this.name, headers, this.#look)
  }

  /** The same person at another node. */
  at({ url }: TestStowage): Client {
    return new Client(url, this.name, this.#headers, this.#look)
  }

  /** The same credentials, for addresses below another owner. */
  as(name: string): Client {
    return new Client(this.#base, name, this.#headers, this.#look)
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const url = this.#base + path
    const headers = { ...this.#headers, ...(init.headers as Record<string, string>) }
    const response = await fetch(url, { ...init, headers })
    await this.#look?.(init.method ?? 'GET', url, response)
    return response
  }

  post(path: string, body: unknown): Promise<Response> {
    const headers = { 'Content-Type': 'application/json' }
    return this.fetch(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers })
  }

  path(address: FileAddress = {}): string {
    const { owner = this.name, package: name = 'tool', version = '1.0', file = 'tool.bin' } = address
    return `/api/packages/${[owner, 'generic', name, version, file].map(encodeURIComponent).join('/')}`
  }

  put(address: FileAddress, body: RequestInit['body'], headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(this.path(address), { method: 'PUT', body, headers })
  }

  get(address: FileAddress = {}, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(this.path(address), { headers })
  }

  head(address: FileAddress = {}, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(this.path(address), { method: 'HEAD', headers })
  }

  delete(address: FileAddress = {}): Promise<Response> {
    return this.fetch(this.path(address), { method: 'DELETE' })
  }

  deleteVersion({ owner = this.name, package: name = 'tool', version = '1.0' }: FileAddress = {}): Promise<Response> {
    const path = [owner, 'generic', name, version].map(encodeURIComponent).join('/')
    return this.fetch(`/api/packages/${path}`, { method: 'DELETE' })
  }

  /** A token of this person, as a client that calls with it. */
  async token(scopes: string[], fields: Record<string, unknown> = {}): Promise<Client & { secret: string }> {
    const body = { name: `token-${Math.random()}`, scopes, ...fields }
    const response = await this.post(`/api/v1/users/${this.name}/tokens`, body)
    if (response.status !== 201) throw new Error(`token: ${response.status} ${await response.text()}`)
    const { sha1 } = (await response.json()) as { sha1: string }
    return Object.assign(this.with({ Authorization: `token ${sha1}` }), { secret: sha1 })
  }
}
