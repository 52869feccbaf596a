import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from './failure.ts'
import { launch, type Server } from './servers.ts'

const username = 'bench'
const password = 'bench-Pass-1234'
const repository = join(import.meta.dir, '..')

export interface Stowage extends Server {
  /** Headers, by kind of credential. */
  readonly signedIn: { readonly token: Record<string, string>; readonly password: Record<string, string> }
  readonly startSeconds: number
}

/** Starts a checkout's server. Its log is in the folder, and so is its data unless it has a directory already. */
export async function startStowage(
  entry: string,
  folder: string,
  stop: AbortSignal,
  dataDir = join(folder, 'stowage'),
  settings: Record<string, string> = {},
): Promise<Stowage> {
  await mkdir(dataDir, { recursive: true })
  const launched = await launch({
    name: 'Stowage',
    command: [process.execPath, entry],
    folder: repository,
    env: {
      // As `npm start` has it.
      UV_THREADPOOL_SIZE: '16',
      ...withoutSettings(process.env),
      STOWAGE_LISTEN: '127.0.0.1:0',
      STOWAGE_DATA_DIR: dataDir,
      STOWAGE_ADMIN_USERNAME: username,
      STOWAGE_ADMIN_PASSWORD: password,
      STOWAGE_LOG_LEVEL: 'warn',
      ...settings,
    },
    logFile: join(folder, 'stowage.log'),
    findOrigin: async (log) => /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(log)?.[1],
    stop,
  })
  try {
    const token = await newToken(launched.origin, stop)
    return {
      ...launched,
      name: 'Stowage',
      fill: (path, content) => publish(launched.origin + path, content, token, stop),
      put: { headers: token, syncIn: undefined },
      signedIn: { token, password: basic },
    }
  } catch (error) {
    await launched[Symbol.asyncDispose]()
    throw error
  }
}

/** What the machine is set to must not decide what is measured. */
function withoutSettings(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith('STOWAGE_')))
}

const basic = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }

async function newToken(origin: string, stop: AbortSignal): Promise<Record<string, string>> {
  const response = await fetch(`${origin}/api/v1/users/${username}/tokens`, {
    method: 'POST',
    headers: { ...basic, 'content-type': 'application/json' },
    body: JSON.stringify({ name: `bench ${randomUUID()}`, scopes: ['write:package'] }),
    signal: stop,
  })
  if (response.status !== 201) throw new Failure(`Stowage gave no token: ${response.status} ${await response.text()}`)
  const { sha1 } = (await response.json()) as { sha1: string }
  return { authorization: `token ${sha1}` }
}

async function publish(url: string, content: Uint8Array, headers: Record<string, string>, stop: AbortSignal) {
  const response = await fetch(url, { method: 'PUT', headers, body: content.slice(), signal: stop })
  if (response.status !== 201) throw new Failure(`PUT ${url}: ${response.status} ${await response.text()}, not 201`)
}
