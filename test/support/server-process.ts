import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { databaseSettings, dropDatabaseOf } from './database.ts'
import { demandDocumented } from './documented-answers.ts'
import { storeSettings } from './store.ts'
import { adminPassword, basic, Client } from './stowage.ts'

const root = new URL('../..', import.meta.url).pathname

/** The server as a process of its own, for what only a process can show: signals, kills, memory, file handles. */
export class ServerProcess {
  readonly child: Subprocess<'ignore', 'pipe', 'pipe'>
  readonly dataDir: string
  readonly url: string
  /** What it wrote to standard output until it listened. */
  readonly banner: string
  readonly #log: Log

  private constructor(child: ServerProcess['child'], dataDir: string, url: string, banner: string, log: Log) {
    this.child = child
    this.dataDir = dataDir
    this.url = url
    this.banner = banner
    this.#log = log
  }

  /** Resolves when it listens; throws with what it wrote when it ends instead. */
  static async start(
    dataDir: string,
    settings: Record<string, string> = {},
    command = usualCommand,
  ): Promise<ServerProcess> {
    const child = await spawnServer(dataDir, settings, command)
    const log = new Log(child.stderr)
    let banner = ''
    for await (const chunk of child.stdout) {
      banner += Buffer.from(chunk).toString()
      const url = /^listening on (\S+)$/m.exec(banner)?.[1]
      if (!url) continue
      return new ServerProcess(child, dataDir, url, banner, log)
    }
    await log.whole
    throw new Error(`The server ended with ${await child.exited} before it listened:\n${log.text}`)
  }

  /** Starts it and ends it that many milliseconds later, wherever it has got to. */
  static async killedWhileStarting(
    dataDir: string,
    milliseconds: number,
    settings: Record<string, string> = {},
  ): Promise<void> {
    const child = await spawnServer(dataDir, settings)
    await Promise.race([Bun.sleep(milliseconds), child.exited])
    child.kill('SIGKILL')
    await child.exited
  }

  get admin(): Client {
    return new Client(this.url, 'admin', { Authorization: basic('admin', adminPassword) }, demandDocumented)
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  /** What it has written to standard error until now. */
  get errors(): string {
    return this.#log.text
  }

  /** Ends it as a power cut would, as far as a process can tell. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.child.exited
  }

  async stop(): Promise<number> {
    this.child.kill('SIGTERM')
    return this.ended()
  }

  /** Its exit code, once it has ended and all that it wrote is here. */
  async ended(): Promise<number> {
    await this.#log.whole
    return this.child.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

const usualCommand = ['server/main.ts']

/** The process alone, however far it has got. */
export async function spawnServer(
  dataDir: string,
  settings: Record<string, string>,
  command = usualCommand,
): Promise<ServerProcess['child']> {
  return Bun.spawn([process.execPath, ...command], {
    cwd: root,
    env: {
      ...environmentWithoutOurs(),
      STOWAGE_LISTEN: '127.0.0.1:0',
      STOWAGE_DATA_DIR: dataDir,
      STOWAGE_ADMIN_PASSWORD: adminPassword,
      STOWAGE_LOG_LEVEL: 'warn',
      ...(await databaseSettings(dataDir)),
      ...(await storeSettings(dataDir)),
      ...settings,
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

/** A folder that is gone when the test is over. */
export async function temporaryFolder(place = tmpdir()): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(place, 'stowage-test-'))
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(path, { recursive: true, force: true })
      await dropDatabaseOf(path)
    },
  }
}

/** The environment of the test run without settings that a developer may have exported. */
export function environmentWithoutOurs(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('STOWAGE_')))
}

/** What a process writes, as it comes. */
export class Log {
  text = ''
  /** Resolves when there is no more to come. */
  readonly whole: Promise<void>

  constructor(stream: ReadableStream<Uint8Array>) {
    this.whole = this.#read(stream)
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of stream) this.text += decoder.decode(chunk, { stream: true })
  }
}
