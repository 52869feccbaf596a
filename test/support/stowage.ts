import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { straight } from '../../server/catalogue/statement.ts'
import { compose, type Replacements, type Stowage } from '../../server/compose.ts'
import { readSettings } from '../../server/config.ts'
import { openLog } from '../../server/log.ts'
import { behindItsBack, databaseSettings, dropDatabaseOf, layDatabase } from './database.ts'
import { onlyDocumented } from './documented-answers.ts'
import { roomyPlace } from './roomy-place.ts'

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
  readonly #ownsData: boolean

  constructor(stowage: Stowage, dataDir: string, ownsData: boolean) {
    this.stowage = stowage
    this.dataDir = dataDir
    this.#ownsData = ownsData
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

export async function startStowage({
  settings = {},
  replace = {},
  databaseUrl = (direct) => direct,
  thread = false,
  dataDir,
}: StartOptions = {}): Promise<TestStowage> {
  const folder = dataDir ?? (await mkdtemp(join(await roomyPlace(), 'stowage-test-')))
  if (dataDir === undefined) await layDatabase(folder)
  const database = await databaseSettings(folder)
  if (database.STOWAGE_DATABASE_URL) database.STOWAGE_DATABASE_URL = databaseUrl(database.STOWAGE_DATABASE_URL)
  const parsed = readSettings({
    STOWAGE_LISTEN: '127.0.0.1:0',
    STOWAGE_DATA_DIR: folder,
    STOWAGE_LOG_LEVEL: 'silent',
    ...database,
    ...settings,
  })
  const stowage = await compose(parsed, await openLog({ format: 'json', level: parsed.logLevel }), {
    background: 'off',
    watchAnswers: onlyDocumented,
    addresses: 'plain',
    // Whether the suite holds without them is a run of its own: npm run test:cold.
    hotDownloads: process.env.TEST_HOT_DOWNLOADS === 'off' ? 'off' : 'on',
    // What is kept in memory must not depend on how busy the machine is.
    diskPatience: Infinity,
    passwordCost: { memoryCost: 8, timeCost: 1 },
    // A thread of its own for SQLite takes as long to start as all the rest of a server.
    ...(thread ? {} : { aroundStatement: straight }),
    ...replace,
  })
  await stowage.accounts.createFirst({ name: 'admin', password: adminPassword })
  return new TestStowage(stowage, folder, dataDir === undefined)
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
