import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand } from '@aws-sdk/client-s3'
import { type S3Place, s3Client } from '../../server/blobs/s3-client.ts'
import { notRun } from './not-run.ts'
import { roomyPlace } from './roomy-place.ts'
import { hasSwift, runSwift, swiftPackages } from './swift.ts'
import { TiedProcess } from './tied-process.ts'

/** An S3 server that runs, with one empty bucket. It ends with this process, however that ends. */
export interface S3Server extends AsyncDisposable {
  url: string
  /** Its bucket, under a prefix that nobody else has. */
  place(endpoint?: string): S3Place
}

export interface S3Kind {
  name: 's3rver' | 'versitygw' | 'swift'
  start(): Promise<S3Server>
}

/** Those of every server, as s3rver has them built in; but for Swift's. */
const usualKeys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
const bucket = 'stowage-files'

/** A small server from npm, which every machine has: no multipart upload can be listed or aborted there. */
const s3rver: S3Kind = { name: 's3rver', start: startS3rver }

const installed = join(homedir(), 'go/bin/versitygw')
const versity = Bun.which('versitygw') ?? (Bun.file(installed).size > 0 ? installed : undefined)

/** Those that start quickly and are installed here; in CI all that there are. */
export function s3Servers(): S3Kind[] {
  const kinds = [s3rver]
  if (versity) kinds.push({ name: 'versitygw', start: () => startVersity(versity) })
  else missing('versitygw', 'go install github.com/versity/versitygw/cmd/versitygw@v1.8.0')
  return kinds
}

/** Those that take long. */
export function slowS3Servers(): S3Kind[] {
  if (hasSwift()) return [{ name: 'swift', start: startSwift }]
  missing('OpenStack Swift', `apt-get install ${swiftPackages}`)
  return []
}

/** The quick one that knows most, of those that are installed. */
export function bestS3Server(): S3Kind {
  return s3Servers().find(({ name }) => name === 'versitygw') ?? s3rver
}

function missing(name: string, remedy: string): void {
  if (process.env.CI) throw new Error(`${name} is not installed: ${remedy}`)
  notRun(`S3 on ${name} (${remedy})`)
}

async function startS3rver(): Promise<S3Server> {
  const folder = await emptyFolder()
  // It expects other signatures than the SDK's where the address is the bucket's own.
  const options = { port: 0, address: '127.0.0.1', silent: true, directory: folder, allowMismatchedSignatures: true }
  const script = `
    const S3rver = require('@20minutes/s3rver')
    new S3rver(${JSON.stringify(options)}).run().then(({ port }) => console.log('listening on ' + port))
  `
  const child = new TiedProcess([process.execPath, '-e', script], { cwd: import.meta.dir, isHeard: true })
  const port = await portIn(child)
  return serving(`http://127.0.0.1:${port}`, [child], folder)
}

async function startVersity(program: string): Promise<S3Server> {
  const folder = await emptyFolder()
  await mkdir(join(folder, 'buckets'))
  const port = freePort()
  const { accessKeyId, secretAccessKey } = usualKeys
  const command = [program, '--port', `127.0.0.1:${port}`, '--access', accessKeyId, '--secret', secretAccessKey]
  const child = new TiedProcess([...command, '--keep-alive', '--quiet', 'posix', join(folder, 'buckets')])
  return serving(`http://127.0.0.1:${port}`, [child], folder)
}

async function startSwift(): Promise<S3Server> {
  const folder = await emptyFolder()
  const keys = { accessKeyId: 'test:tester', secretAccessKey: 'testing' }
  const { url, children } = await runSwift(folder, freePort, keys)
  return serving(url, children, folder, keys)
}

let prefixes = 0

async function serving(
  url: string,
  children: readonly TiedProcess[],
  folder: string,
  credentials = usualKeys,
): Promise<S3Server> {
  const end = async () => {
    await Promise.all(children.map((child) => child.end()))
    await rm(folder, { recursive: true, force: true })
  }
  const place = (endpoint = url): S3Place => {
    prefixes += 1
    return { bucket, endpoint, region: 'us-east-1', prefix: `test-${prefixes}/`, credentials, pathStyle: true }
  }
  try {
    await whenItAnswers(() => makeBucket(place()))
  } catch (error) {
    await end()
    throw error
  }
  return { url, place, [Symbol.asyncDispose]: end }
}

async function makeBucket(place: S3Place): Promise<void> {
  const client = s3Client(place, 'WHEN_REQUIRED', { attempts: 1 })
  await client.send(new CreateBucketCommand({ Bucket: bucket })).finally(() => client.destroy())
}

async function whenItAnswers(attempt: () => Promise<void>): Promise<void> {
  for (const until = performance.now() + 30_000; ; await Bun.sleep(50)) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > until) throw error
    }
  }
}

async function emptyFolder(): Promise<string> {
  return mkdtemp(join(await roomyPlace(), 'stowage-s3-'))
}

async function portIn({ output }: TiedProcess): Promise<string> {
  let text = ''
  for await (const chunk of output) {
    text += Buffer.from(chunk).toString()
    const [, port] = /listening on (\d+)/.exec(text) ?? []
    if (port) return port
  }
  throw new Error('s3rver did not come up')
}

function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const { port = 0 } = server
  server.stop(true)
  return port
}
