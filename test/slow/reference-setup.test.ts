import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cp, readFile, symlink } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { freePort, startPostgres } from '../support/postgres.ts'
import { testWith } from '../support/programs.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { startReferenceNginx } from '../support/reference-nginx.ts'
import { bestS3Server } from '../support/s3.ts'
import { seededBytes } from '../support/seeded.ts'
import { environmentWithoutOurs, ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { s3Settings } from '../support/store.ts'
import { adminPassword, basic, Client } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const root = new URL('../..', import.meta.url).pathname
const examples = join(root, 'docs/examples')
const tested = testWith('nginx')

/** Counts requests, and closes the connection instead of an answer. */
async function startMute() {
  const seen: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (bytes) => {
      seen.push(bytes.toString('latin1').split(' ', 1)[0] ?? '')
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    seen,
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

describe('nodes behind docs/examples/nginx.conf', () => {
  const held = new AsyncDisposableStack()
  const nodes: ServerProcess[] = []
  let nginx: Awaited<ReturnType<typeof startReferenceNginx>>
  let admin: Client

  beforeAll(async () => {
    if (!Bun.which('nginx')) return
    const [database, bucket] = await Promise.all([startPostgres(), bestS3Server().start()])
    held.use(database)
    held.use(bucket)
    const ports = [freePort(), freePort(), freePort()]
    const settings = {
      ...s3Settings(bucket.place()),
      STOWAGE_DATABASE_URL: await database.createDatabase(),
      STOWAGE_SECRET_KEY: 'one secret key for all three of these nodes',
      STOWAGE_TRUSTED_PROXIES: '127.0.0.1',
      STOWAGE_METRICS_TOKEN: 'a-token-for-metrics',
    }
    const starting = ports.map(async (port) => {
      const { path } = held.use(await temporaryFolder())
      return held.use(await ServerProcess.start(path, { ...settings, STOWAGE_LISTEN: `127.0.0.1:${port}` }))
    })
    nodes.push(...(await Promise.all(starting)))
    nginx = held.use(await startReferenceNginx('nginx', ports))
    admin = new Client(nginx.url, 'admin', { Authorization: basic('admin', adminPassword) })
  }, 300_000)

  afterAll(() => held.disposeAsync())

  const uploadsOpen = async (): Promise<number> => {
    const headers = { Authorization: 'Bearer a-token-for-metrics' }
    const texts = nodes.map(async ({ url }) => (await fetch(`${url}/metrics`, { headers })).text())
    const open = (await Promise.all(texts)).map((text) => Number(/^stowage_uploads_open (\d+)$/m.exec(text)?.[1]))
    return open.reduce((sum, each) => sum + each, 0)
  }

  tested('what is published through it every node serves, under names as they were sent', async () => {
    const names = ['plain.txt', 'a;b c%d+e.txt', '50%']
    for (const [index, file] of names.entries()) {
      const bytes = seededBytes(10_000, index)
      expect((await admin.put({ file }, bytes)).status).toBe(201)
      for (const { url } of nodes) {
        const answer = await fetch(url + admin.path({ file }))
        expect(Buffer.compare(await answer.bytes(), bytes)).toBe(0)
      }
      expect((await admin.get({ file })).headers.get('content-length')).toBe('10000')
    }
  })

  tested(
    'an upload reaches a node while it is being sent, a large one arrives whole, a refusal comes through',
    async () => {
      await using slow = await RawConnection.open(nginx.port)
      const head = `PUT ${admin.path({ file: 'slow' })} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('admin', adminPassword)}\r\n`
      await slow.write(`${head}Content-Length: 6\r\n\r\nabc`)
      await until(async () => (await uploadsOpen()) === 1, 'a node has half of the upload')
      await slow.write('def')
      expect((await slow.answer()).status).toBe(201)

      const large = seededBytes(64 * 1024 * 1024, 7)
      expect((await admin.put({ file: 'large' }, large)).status).toBe(201)
      expect(Buffer.compare(await (await admin.get({ file: 'large' })).bytes(), large)).toBe(0)
      expect((await admin.put({ file: 'large' }, large)).status).toBe(409)
    },
  )

  tested('nodes see the address of the client, and nobody outside sees metrics', async () => {
    const from = { 'X-Forwarded-For': '203.0.113.9' }
    expect((await admin.put({ file: 'from-afar' }, 'x', from)).status).toBe(201)
    const events = await (await admin.fetch('/api/v1/admin/audit?action=file.published&limit=1')).text()
    expect(events).toContain('203.0.113.9')
    const metrics = await fetch(`${nginx.url}/metrics`, { headers: { Authorization: 'Bearer a-token-for-metrics' } })
    expect(metrics.status).toBe(404)
  })

  tested(
    'a node that is killed costs no reader anything, and a publish only where it was that node’s',
    async () => {
      const writer = await admin.token(['write:package'])
      expect((await admin.put({ file: 'read' }, 'bytes')).status).toBe(201)
      const got: number[] = []
      const put = new Map<string, number>()
      const enough = () => got.length >= 600 && put.size >= 150
      let killed: Promise<void> | undefined
      const readers = Array.from({ length: 6 }, async () => {
        while (!enough()) {
          const answer = await admin.get({ file: 'read' })
          got.push((await answer.text()) === 'bytes' ? answer.status : 0)
        }
      })
      const writers = Array.from({ length: 6 }, async () => {
        while (!enough()) {
          const version = `v${put.size}-${crypto.randomUUID()}`
          put.set(version, 0)
          put.set(version, (await writer.put({ version }, version)).status)
          if (put.size > 40) killed ??= nodes[1]?.kill()
        }
      })
      await Promise.all([...readers, ...writers])
      await killed

      expect(new Set(got)).toEqual(new Set([200]))
      // Those that were under way at that node, and the one that found it gone.
      const refused = [...put.values()].filter((status) => status !== 201)
      expect(new Set(refused).difference(new Set([502]))).toEqual(new Set())
      expect(refused.length).toBeLessThan(20)
      for (const [version, status] of put) {
        const answer = await admin.get({ version })
        if (status === 201) expect(await answer.text()).toBe(version)
      }
    },
    120_000,
  )
})

describe('what docs/examples/nginx.conf sends again', () => {
  tested('reading goes to the next node; what changes something is sent once', async () => {
    for (const [method, body, sent] of [
      ['GET', undefined, 3],
      ['HEAD', undefined, 3],
      ['PUT', 'small enough to be read together with its head', 1],
      ['PUT', '', 1],
      ['POST', 'x', 1],
      ['DELETE', undefined, 1],
    ] as const) {
      await using mutes = new AsyncDisposableStack()
      const all = [mutes.use(await startMute()), mutes.use(await startMute()), mutes.use(await startMute())]
      await using nginx = await startReferenceNginx(
        'nginx',
        all.map(({ port }) => port),
      )
      const { status } = await fetch(`${nginx.url}/api/packages/admin/generic/tool/1.0/file`, {
        method,
        ...(body === undefined ? {} : { body }),
      })
      expect(status).toBe(502)
      expect(all.flatMap(({ seen }) => seen)).toEqual(Array.from({ length: sent }, () => method))
    }
  })
})

describe('docs/examples/Dockerfile', () => {
  test('copies what a server needs, its pages too', async () => {
    await using image = await temporaryFolder()
    const dockerfile = await readFile(join(examples, 'Dockerfile'), 'utf8')
    const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '))
    for (const source of copied) await cp(join(root, source), join(image.path, source), { recursive: true })
    await symlink(join(root, 'node_modules'), join(image.path, 'node_modules'))
    const [, command = ''] = /^CMD (.+)$/m.exec(dockerfile) ?? []
    const server = Bun.spawn(JSON.parse(command), {
      cwd: image.path,
      env: {
        ...environmentWithoutOurs(),
        STOWAGE_LISTEN: '127.0.0.1:0',
        STOWAGE_DATA_DIR: join(image.path, 'data'),
        STOWAGE_ADMIN_PASSWORD: adminPassword,
        STOWAGE_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      let banner = ''
      let url: string | undefined
      for await (const chunk of server.stdout) {
        banner += Buffer.from(chunk).toString()
        url = /^listening on (\S+)$/m.exec(banner)?.[1]
        if (url) break
      }
      expect((await fetch(`${url}/user/login`)).status).toBe(200)
    } finally {
      server.kill('SIGKILL')
      await server.exited
    }
  })
})
