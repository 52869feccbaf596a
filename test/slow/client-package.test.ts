import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onPostgres } from '../support/database.ts'
import { HttpProxy } from '../support/http-proxy.ts'
import { testWith } from '../support/programs.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

const root = join(import.meta.dir, '..', '..')

/** A project of somebody else's, into which the package was unpacked. What it depends on is linked from here. No database matters. */
describe.skipIf(onPostgres)('the package', () => {
  let stowage: TestStowage
  let folder: string
  let token: string
  const large = new Uint8Array(5_000_000).map((_, at) => (at * 31 + (at >> 8)) & 255)
  const packing = testWith('npm')

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-package-'))
    await pack(folder)
    stowage = await startStowage()
    // An administrator's, who may publish for everybody.
    token = (await stowage.admin.token(['all'])).secret
    await stowage.user('ada')
    await stowage.user('before')
    const renamed = await stowage.admin.post('/api/v1/admin/users/before/rename', { new_username: 'after' })
    expect(renamed.status).toBe(204)
    await Bun.write(join(folder, 'tool.tar.gz'), large)
  }, 180_000)

  afterAll(async () => {
    await stowage[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** What a program of that project, run by Node, prints. */
  async function node(name: string, source: string, env: Record<string, string> = {}): Promise<string[]> {
    await Bun.write(join(folder, name), source)
    const child = Bun.spawn([Bun.which('node') ?? 'node', name], {
      cwd: folder,
      env: { PATH: process.env.PATH, STOWAGE: stowage.url, TOKEN: token, ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [output, errors, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    expect([exitCode, errors]).toEqual([0, ''])
    return output.trimEnd().split('\n')
  }

  packing('holds the client, and nothing that was not meant for it', async () => {
    const files = await readdir(join(folder, 'node_modules', 'stowage', 'client'), { recursive: true })
    expect(files).toContain('README.md')
    expect(files).toContain(join('dist', 'index.js'))
    expect(files).toContain(join('dist', 'schema.d.ts'))
    expect(files.filter((file) => !/^dist(\/[\w-]+\.(js|d\.ts))?$|^README\.md$/.test(file))).toEqual([])
  })

  packing('publishes and downloads in Node, across lost connections', async () => {
    const proxies = {
      cut: await HttpProxy.start(stowage.url),
      lost: await HttpProxy.start(stowage.url),
      damaged: await HttpProxy.start(stowage.url),
    }
    proxies.cut.plan(
      { kind: 'cut request', after: 1_000_000 },
      { kind: 'answer', status: 503, headers: { 'Retry-After': '0' } },
    )
    proxies.lost.plan({ kind: 'lose answer' })
    proxies.damaged.plan({ kind: 'damage answer', at: 2_000_000 })
    const urls = Object.entries(proxies).map(([name, { url }]) => [name, url])
    const printed = await node('streams.mjs', inNode, { PROXIES: JSON.stringify(Object.fromEntries(urls)) })
    expect(printed).toEqual([
      'cut: false',
      'lost: true',
      'stream: false',
      'bytes: false',
      'early: Taken 409, few chunks: true, closed: true',
      'resumed: true',
      'damaged: DigestMismatch',
      'folder: resumed.bin',
      'large: 300000000, not held: true',
      'renamed: true',
      'described: 200',
      'silent: too long',
      'aborted: enough',
    ])
    const ranges = proxies.cut.take().seen.flatMap(({ headers }) => headers.range ?? [])
    expect(ranges).toEqual([expect.stringMatching(/^bytes=\d+-$/)])
    const digest = createHash('sha256').update(large).digest('hex')
    for (const file of ['cut', 'lost', 'stream', 'bytes']) {
      const head = await stowage.anonymous.head({ owner: 'ada', version: '1', file })
      expect(head.headers.get('x-checksum-sha256')).toBe(digest)
    }
    for (const proxy of Object.values(proxies)) await proxy[Symbol.asyncDispose]()
  })

  packing("its README's examples have no mistake in their types, and run in Node", async () => {
    const examples = await exampleIn(join(root, 'client', 'README.md'))
    const compiled = new Bun.Transpiler({ loader: 'ts' }).transformSync(examples)
    const printed = await node('readme.mjs', compiled)
    const sha256 = createHash('sha256').update(large).digest('hex')
    expect(printed[0]).toBe(`${large.length} ${sha256}`)
    expect(printed).toContain(`There is one already: ${sha256}`)
    expect(printed).toContain('tool 1.0.0')

    await Bun.write(join(folder, 'readme.ts'), examples)
    await Bun.write(join(folder, 'sample.ts'), sample)
    expect(await typeErrors(folder, ['readme.ts', 'sample.ts'])).toEqual([])
    // So that a type that is `any` would be seen.
    await Bun.write(join(folder, 'wrong.ts'), wrong)
    expect(await typeErrors(folder, ['wrong.ts'])).toEqual([3, 4, 5, 6, 7].map((line) => `wrong.ts(${line}`))
  })
})

async function pack(folder: string): Promise<void> {
  const packed = Bun.spawn(['npm', 'pack', '--silent', '--pack-destination', folder], {
    cwd: root,
    env: { ...process.env, npm_config_update_notifier: 'false' },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const printed = await new Response(packed.stdout).text()
  if ((await packed.exited) !== 0) throw new Error(`npm pack: ${printed}`)
  const archive = new Bun.Archive(await Bun.file(join(folder, printed.trim())).bytes())
  await archive.extract(join(folder, 'unpacked'))
  const modules = join(folder, 'node_modules')
  await mkdir(modules)
  await rename(join(folder, 'unpacked', 'package'), join(modules, 'stowage'))
  await mkdir(join(modules, '@types'))
  for (const name of ['openapi-fetch', 'openapi-typescript-helpers', '@types/node', 'undici-types']) {
    await symlink(join(root, 'node_modules', name), join(modules, name))
  }
  await Bun.write(join(folder, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }))
}

/** The examples of a document as one program. */
async function exampleIn(path: string): Promise<string> {
  const text = await Bun.file(path).text()
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, source]) => source).join('\n')
}

/** `file(line` of each mistake, as a project sees it that checks everything, our declarations too. */
async function typeErrors(folder: string, files: string[]): Promise<string[]> {
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--lib', 'es2023']
  const modules = ['--module', 'nodenext', '--types', 'node', '--skipLibCheck', 'false', '--pretty', 'false']
  const child = Bun.spawn([tsc, ...options, ...modules, ...files], { cwd: folder, stdout: 'pipe', stderr: 'pipe' })
  const text = await new Response(child.stdout).text()
  await child.exited
  return text
    .split('\n')
    .filter((line) => /^\S/.test(line))
    .map((line) => (/^wrong\.ts\(\d+/.exec(line) ?? [line])[0])
}

const sample = `
import { createClient, type components, type paths } from 'stowage/client'

const stowage = createClient({ url: 'http://127.0.0.1:3000', user: 'ada', password: 'x' })

export async function names(owner: string): Promise<string[]> {
  const { data = [] } = await stowage.GET('/api/v1/packages/{owner}', { params: { path: { owner }, query: { page: 2 } } })
  return data.map(({ name, owner: { login }, created_at }) => [login, name, created_at.slice(0, 10)].join(' '))
}

export async function withFile(sha256: string): Promise<number> {
  const found = await stowage.GET('/api/v1/search/packages', { params: { query: { sha256, sort: 'downloads' } } })
  const total: string | null = found.response.headers.get('X-Total-Count')
  return (found.data ?? []).length + Number(total)
}

export async function used(owner: string): Promise<number> {
  const { data, error } = await stowage.GET('/api/v1/usage/{owner}', { params: { path: { owner } } })
  if (error) throw new Error(error.message)
  const { size, quota }: components['schemas']['Usage'] = data
  return quota?.bytes ? size / quota.bytes : 0
}

export type Api = keyof paths
`

const wrong = `
import { createClient, publish } from 'stowage/client'
const stowage = createClient({ url: 'http://127.0.0.1:3000', secret: 'x' })
await stowage.GET('/api/v1/nowhere')
await stowage.GET('/api/v1/packages/{owner}', { params: { path: {} } })
await publish(stowage, { owner: 'ada', package: 'tool', version: '1' }, 'path')
const { data } = await stowage.GET('/api/v1/version'); const number: number = data?.version
export { number }
`

const inNode = `
import { readdir, mkdir, readFile } from 'node:fs/promises'
import { createReadStream } from 'node:fs'
import { createHash } from 'node:crypto'
import { createClient, download, publish } from 'stowage/client'

const token = process.env.TOKEN
const proxies = JSON.parse(process.env.PROXIES)
const stowage = createClient({ url: process.env.STOWAGE, token })
const at = (file) => ({ owner: 'ada', package: 'tool', version: '1', file })
const retries = { firstWaitMs: 1 }

for (const name of ['cut', 'lost']) {
  const { alreadyThere } = await publish({ url: proxies[name], token }, at(name), 'tool.tar.gz', { retries })
  console.log(name + ': ' + alreadyThere)
}
console.log('stream: ' + (await publish(stowage, at('stream'), createReadStream('tool.tar.gz'))).alreadyThere)
console.log('bytes: ' + (await publish(stowage, at('bytes'), await readFile('tool.tar.gz'))).alreadyThere)

let chunks = 0
let closed = false
async function* endless() {
  try {
    for (; chunks < 100_000; chunks += 1) yield new Uint8Array(100_000)
  } finally {
    closed = true
  }
}
const early = await publish(stowage, at('bytes'), endless()).catch((error) => error)
console.log('early: ' + early.name + ' ' + early.status + ', few chunks: ' + (chunks < 500) + ', closed: ' + closed)

await mkdir('got')
let cut = false
const cutting = async (input, init) => {
  const answer = await fetch(input, init)
  if (cut) return answer
  cut = true
  let left = 3
  const passed = new TransformStream({
    transform(chunk, controller) {
      if (left-- > 0) controller.enqueue(chunk)
      else controller.error(new TypeError('terminated'))
    },
  })
  return new Response(answer.body.pipeThrough(passed), { status: answer.status, headers: answer.headers })
}
const { sha256 } = await download({ url: proxies.cut, token, fetch: cutting }, at('cut'), { to: 'got/resumed.bin', retries })
const digest = createHash('sha256').update(await readFile('got/resumed.bin')).digest('hex')
console.log('resumed: ' + (digest === sha256))

const damaged = await download({ url: proxies.damaged, token }, at('cut'), { to: 'got/damaged.bin' }).catch((error) => error)
console.log('damaged: ' + damaged.name)
console.log('folder: ' + (await readdir('got')).join())

const heldBefore = process.memoryUsage.rss()
let held = 0
async function* large() {
  for (let count = 0; count < 1_000; count += 1) {
    held = Math.max(held, process.memoryUsage.rss() - heldBefore)
    yield new Uint8Array(300_000)
  }
}
const { size } = await publish(stowage, at('large'), large)
console.log('large: ' + size + ', not held: ' + (held < 150_000_000))

await publish(stowage, { ...at('renamed'), owner: 'before' }, 'tool.tar.gz')
const lost = await publish(stowage, { ...at('lost'), owner: 'before' }, createReadStream('tool.tar.gz')).catch((error) => error)
console.log('renamed: ' + lost.message.includes('/api/packages/after/'))

const api = createClient({ url: process.env.STOWAGE, token })
const changed = await api.PATCH('/api/v1/packages/{owner}/generic/{name}/-/metadata', {
  params: { path: { owner: 'before', name: 'tool' } },
  body: { description: 'a tool' },
})
console.log('described: ' + changed.response.status)

const silent = new AbortController()
async function* silence() {
  yield new Uint8Array(10)
  setTimeout(() => silent.abort(new Error('too long')), 20)
  await new Promise(() => undefined)
}
const waiting = await publish(stowage, at('silent'), silence(), { signal: silent.signal }).catch((error) => error)
console.log('silent: ' + waiting.message)

const controller = new AbortController()
const aborted = await publish(stowage, at('aborted'), 'tool.tar.gz', {
  signal: controller.signal,
  onProgress: () => controller.abort(new Error('enough')),
}).catch((error) => error)
console.log('aborted: ' + aborted.message)
`
