import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import type { BlobStore } from '../../server/blobs/blob-store.ts'
import type { Catalogue } from '../../server/catalogue/transaction.ts'
import { Problem } from '../../server/problems.ts'
import { bytesForJob, digestsLater } from '../support/bytes-for-job.ts'
import { seededBytes } from '../support/seeded.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { adminPassword, basic, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const token = 'metrics-token-0123456789'
const hour = 60 * 60_000
const filePattern = '/api/packages/:owner/generic/:name/:version/:file'

interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

/** The text format of Prometheus 0.0.4, and nothing beside it: whatever cannot be read is thrown. */
function parse(text: string): Map<string, { type: string; samples: Sample[] }> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const metrics = new Map<string, { type: string; samples: Sample[] }>()
  let current: { name: string; type: string; samples: Sample[] } | undefined
  const seen = new Set<string>()
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue
    const comment = /^# (HELP|TYPE) ([a-z_][a-z0-9_]*) (.+)$/.exec(line)
    if (comment) {
      const [, kind, name = '', rest = ''] = comment
      if (kind === 'HELP') {
        if (metrics.has(name)) throw new Error(`${name} is there twice`)
        current = { name, type: '', samples: [] }
        metrics.set(name, current)
      } else {
        if (current?.name !== name || !/^(counter|gauge|histogram)$/.test(rest)) throw new Error(line)
        current.type = rest
      }
      continue
    }
    const sample = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (!sample || !current) throw new Error(`cannot be read: ${line}`)
    const [, name = '', labelText = '', valueText = ''] = sample
    const suffixes = current.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    if (!suffixes.some((suffix) => name === current?.name + suffix)) throw new Error(`${name} under ${current.name}`)
    const labels: Record<string, string> = {}
    const rest = labelText.replaceAll(/([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/g, (_, key, value) => {
      labels[key] = value
      return ''
    })
    if (rest !== '') throw new Error(`labels that cannot be read: ${labelText}`)
    const value = valueText === '+Inf' ? Number.POSITIVE_INFINITY : Number(valueText)
    if (Number.isNaN(value) && valueText !== 'Nan') throw new Error(`no number: ${line}`)
    const series = `${name}{${labelText}}`
    if (seen.has(series)) throw new Error(`${series} is there twice`)
    seen.add(series)
    current.samples.push({ name, labels, value })
  }
  return metrics
}

class Page {
  readonly metrics: ReturnType<typeof parse>

  constructor(text: string) {
    this.metrics = parse(text)
  }

  /** Of the series with these labels, added up; undefined where there is none. */
  value(name: string, labels: Record<string, string> = {}): number | undefined {
    const family = [...this.metrics].find(([known]) => name === known || name.startsWith(`${known}_`))?.[1]
    const found = (this.metrics.get(name) ?? family)?.samples.filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    return found?.length ? found.reduce((sum, { value }) => sum + value, 0) : undefined
  }

  get series(): number {
    return [...this.metrics.values()].reduce((sum, { samples }) => sum + samples.length, 0)
  }
}

const bearer = { Authorization: `Bearer ${token}` }

async function scrape(stowage: TestStowage): Promise<Page> {
  const answer = await fetch(`${stowage.url}/metrics`, { headers: bearer })
  expect(answer.status).toBe(200)
  return new Page(await answer.text())
}

describe('metrics', () => {
  let stowage: TestStowage
  let now = Date.now()
  let broken: string[] = []
  let databaseIsAway = false

  /** Past the time for which the last look at the database stands. */
  const later = () => {
    now += 10_000
    return scrape(stowage)
  }

  /** How much a value grew by some work. */
  async function growth(name: string, labels: Record<string, string>, work: () => Promise<unknown>): Promise<number> {
    const before = (await later()).value(name, labels) ?? 0
    await work()
    return ((await later()).value(name, labels) ?? 0) - before
  }

  beforeAll(async () => {
    const away = () => new Problem('storage-unavailable', 'away')
    const blobs = (store: BlobStore) =>
      new Proxy(digestsLater(store), {
        get(target, name) {
          if (broken.includes(String(name))) return () => Promise.reject(away())
          const member: unknown = Reflect.get(target, name)
          return typeof member === 'function' ? member.bind(target) : member
        },
      })
    const catalogue = (real: Catalogue): Catalogue => ({
      read: real.read,
      transact: (work, args) => (databaseIsAway ? Promise.reject(away()) : real.transact(work, args)),
      probe: () => real.probe(),
      close: () => real.close(),
    })
    stowage = await startStowage({
      settings: { STOWAGE_METRICS_TOKEN: token },
      replace: { now: () => now, blobs, catalogue },
    })
  })
  afterAll(() => stowage[Symbol.asyncDispose]())

  test('are text that Prometheus reads, of this server and its process', async () => {
    const answer = await fetch(`${stowage.url}/metrics`, { headers: bearer })
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const page = new Page(await answer.text())
    const { version } = await Bun.file(new URL('../../package.json', import.meta.url)).json()
    expect(page.value('stowage_build_info', { version, bun: Bun.version })).toBe(1)
    expect(page.value('stowage_database_up')).toBe(1)
    expect(page.value('stowage_processes')).toBe(1)
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_open_fds']) {
      expect(page.value(name)).toBeGreaterThan(0)
    }
    expect([...page.metrics.keys()].filter((name) => !/^(stowage|process|nodejs)_/.test(name))).toEqual([])
    for (const [name, { type }] of page.metrics)
      expect([name, type === 'counter']).toEqual([name, /_total$/.test(name)])
  })

  test('are shown to whoever has the token', async () => {
    const statusOf = async (headers: Record<string, string>) =>
      (await fetch(`${stowage.url}/metrics`, { headers })).status
    expect(await statusOf(bearer)).toBe(200)
    expect(await statusOf({ authorization: `bearer   ${token}` })).toBe(200)
    const wrong: Record<string, string>[] = [
      {},
      { Authorization: 'Bearer' },
      { Authorization: `Bearer ${token}x` },
      { Authorization: `Bearer ${token.slice(0, -1)}` },
      { Authorization: `Bearer x ${token}` },
      { Authorization: token },
      { Authorization: basic('admin', adminPassword) },
      { Authorization: basic('metrics', token) },
    ]
    for (const headers of wrong) {
      const answer = await fetch(`${stowage.url}/metrics`, { headers })
      expect([headers, answer.status]).toEqual([headers, 401])
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="Stowage metrics"')
      const text = await answer.text()
      expect(text).toMatch(/token/)
      expect(text).not.toContain(token)
    }
    expect((await fetch(`${stowage.url}/metrics?token=${token}`)).status).toBe(401)
  })

  test('HEAD says what GET would, and nothing else is taken', async () => {
    const head = await fetch(`${stowage.url}/metrics`, { method: 'HEAD', headers: bearer })
    expect(head.status).toBe(200)
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(1_000)
    expect((await fetch(`${stowage.url}/metrics`, { method: 'POST', headers: bearer })).status).toBe(405)
    expect((await fetch(`${stowage.url}/metrics/more`, { headers: bearer })).status).toBe(404)
  })

  test('count requests by method, pattern and status', async () => {
    const { admin } = stowage
    await admin.put({ package: 'counted' }, 'abc')
    const requests: [method: string, path: string, route: string, status: number][] = [
      ['GET', admin.path({ package: 'counted' }), filePattern, 200],
      ['HEAD', admin.path({ package: 'counted' }), filePattern, 200],
      ['GET', admin.path({ package: 'not-there' }), filePattern, 404],
      ['PUT', admin.path({ package: 'counted' }), filePattern, 409],
      ['PATCH', admin.path({ package: 'counted' }), filePattern, 405],
      ['DELETE', '/api/packages/admin/generic/gone/1.0', '/api/packages/:owner/generic/:name/:version', 404],
      ['GET', '/api/packages/admin/npm/gone/1.0', 'other', 404],
      ['GET', '/api/packages/admin', 'other', 404],
      ['GET', '/api/v1/users/admin', '/api/v1/users/:name', 200],
      ['GET', '/api/v1/users/%61dmin/', '/api/v1/users/:name', 200],
      ['HEAD', '/api/v1/users/nobody', '/api/v1/users/:name', 404],
      ['GET', '/api/v1/admin/storage', '/api/v1/admin/storage', 200],
      ['GET', '/api/v1/no/such/thing', 'other', 404],
      ['GET', '/user/session', '/user/session', 401],
      ['GET', '/user/no-such-page', 'other', 404],
      ['GET', '/healthz', '/healthz', 200],
      ['GET', '/', '/', 200],
      ['GET', '/some/other/thing', 'other', 404],
      ['GET', '/one/two/three/four/five/six/seven/eight/nine/ten/eleven/twelve', 'other', 404],
    ]
    const seen = 'stowage_http_requests_total'
    const before = await later()
    const expected = new Map<string, number>()
    for (const [method, path, route, status] of [...requests, ...requests.slice(0, 3)]) {
      const answer = await admin.fetch(path, { method, ...(method === 'PUT' ? { body: 'other' } : {}) })
      expect([method, path, answer.status]).toEqual([method, path, status])
      await answer.bytes()
      const labels = JSON.stringify({ method, route, status: String(status) })
      expected.set(labels, (expected.get(labels) ?? 0) + 1)
    }
    expect((await stowage.anonymous.put({}, 'x')).status).toBe(401)
    expected.set(JSON.stringify({ method: 'PUT', route: filePattern, status: '401' }), 1)
    // The scrapes themselves.
    expected.set(JSON.stringify({ method: 'GET', route: '/metrics', status: '200' }), 1)
    const after = await later()
    for (const [labels, times] of expected) {
      const parsed = JSON.parse(labels) as Record<string, string>
      const grown = Number(after.value(seen, parsed)) - (before.value(seen, parsed) ?? 0)
      expect([labels, grown]).toEqual([labels, times])
    }
    const total = [...expected.values()].reduce((sum, times) => sum + times, 0)
    expect(Number(after.value(seen)) - Number(before.value(seen))).toBe(total)
  })

  test('have no series for what a client thinks up', async () => {
    const { admin } = stowage
    const send = (lines: string) =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(stowage.port, '127.0.0.1', () => socket.end(lines))
        socket.on('close', () => resolve()).on('error', reject)
        socket.resume()
      })
    const shapes: ((name: string) => string)[] = [
      (name) => admin.path({ owner: name }),
      (name) => admin.path({ package: name, file: name }),
      (name) => `/api/packages/admin/generic/${name}/1`,
      (name) => `/api/v1/users/${name}`,
      (name) => `/api/v1/${name}/${name}`,
      (name) => `/user/${name}`,
      (name) => `/${name}`,
      (name) => `/${name}/x%22y%0Az`,
    ]
    const ask = async (shape: (name: string) => string, name: string) => (await admin.fetch(shape(name))).bytes()
    const sendOdd = async (method: string) =>
      send(`${method} /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    for (const shape of shapes) await ask(shape, 'first')
    for (const method of ['FIRST', 'PROPFIND', 'TRACE', 'get']) await sendOdd(method)
    const { series } = await later()
    for (let from = 0; from < 1_000; from += 20) {
      const names = Array.from({ length: 20 }, (_, at) => from + at)
      await Promise.all(names.map((at) => ask(shapes[at % shapes.length] as (typeof shapes)[number], `n${at}`)))
    }
    for (let at = 0; at < 20; at += 1) await sendOdd(`M${at}`)
    const page = await later()
    expect(page.series).toBe(series)
    const methods = page.metrics.get('stowage_http_requests_total')?.samples.map(({ labels }) => labels.method)
    expect([...new Set(methods)].sort()).toEqual(['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT', 'other'])
    expect(page.value('stowage_http_requests_total', { method: 'GET', route: 'other' })).toBeGreaterThan(300)
  })

  test('count bytes in and out, and how long requests take', async () => {
    const { admin } = stowage
    const bytes = seededBytes(30_000, 1)
    const file = { package: 'bytes' }
    expect(await growth('stowage_http_request_bytes_total', {}, () => admin.put(file, bytes))).toBe(30_000)
    const route = { route: filePattern }
    const got = async (headers: Record<string, string>) => (await admin.get(file, headers)).bytes()
    expect(await growth('stowage_http_response_bytes_total', {}, () => got({}))).toBe(30_000)
    expect(await growth('stowage_http_response_bytes_total', {}, () => got({ Range: 'bytes=0-99' }))).toBe(100)
    expect(await growth('stowage_http_response_bytes_total', {}, () => got({ Range: 'bytes=0-9,20-24' }))).toBe(15)
    expect(await growth('stowage_http_response_bytes_total', {}, () => admin.head(file))).toBe(0)

    const before = await later()
    await got({})
    const after = await later()
    const duration = 'stowage_http_request_duration_seconds'
    const grown = (name: string, labels = {}) =>
      Number(after.value(name, { ...route, ...labels })) - Number(before.value(name, { ...route, ...labels }))
    expect(grown(`${duration}_count`)).toBe(1)
    expect(grown(`${duration}_bucket`, { le: '+Inf' })).toBe(1)
    expect(grown(`${duration}_sum`)).toBeGreaterThan(0)
    const buckets = after.metrics
      .get(duration)
      ?.samples.filter(({ name, labels }) => name.endsWith('_bucket') && labels.route === filePattern)
    const counts = buckets?.map(({ value }) => value) ?? []
    expect(counts.length).toBeGreaterThan(10)
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(counts.at(-1)).toBe(after.value(`${duration}_count`, route))
  })

  test('count uploads that are open, and how they end', async () => {
    const { admin } = stowage
    const outcome = (name: string) => ({ outcome: name })
    const publishes = 'stowage_publishes_total'
    const file = { package: 'outcomes' }
    expect(await growth(publishes, outcome('published'), () => admin.put(file, 'one'))).toBe(1)
    expect(await growth(publishes, outcome('already-exists'), () => admin.put(file, 'two'))).toBe(1)
    const wrong = { 'X-Checksum-Sha256': '0'.repeat(64) }
    const mismatch = () => admin.put({ package: 'outcomes', file: 'b' }, 'three', wrong)
    expect(await growth(publishes, outcome('digest-mismatch'), mismatch)).toBe(1)
    const took = 'stowage_publish_duration_seconds_count'
    expect(await growth(took, {}, () => admin.put({ package: 'outcomes', file: 'empty' }, ''))).toBe(1)
    expect(await growth(took, {}, mismatch)).toBe(0)

    expect((await later()).value('stowage_uploads_open')).toBe(0)
    const address = admin.path({ package: 'outcomes', file: 'slow' })
    const slow = await SlowUpload.begin(stowage.port, address, { Authorization: basic('admin', adminPassword) }, 10)
    await slow.send('abc')
    const uploadsOpen = async () => (await later()).value('stowage_uploads_open')
    await until(async () => (await uploadsOpen()) === 1, 'the upload is open')
    const hangUp = async () => {
      slow[Symbol.dispose]()
      await until(async () => (await uploadsOpen()) === 0, 'the upload has ended')
    }
    expect(await growth(publishes, outcome('body-incomplete'), hangUp)).toBe(1)
  })

  test('count what goes wrong in the store and the database', async () => {
    const { admin } = stowage
    const read = { operation: 'read', code: 'storage-unavailable' }
    const stage = { operation: 'stage', code: 'storage-unavailable' }
    // They are there before anything failed: an alert sees what grows, and not what appears.
    const untroubled = await later()
    expect([stage, read].map((labels) => untroubled.value('stowage_store_errors_total', labels))).toEqual([0, 0])
    expect(untroubled.value('stowage_database_errors_total', { place: 'transaction' })).toBe(0)
    broken = ['stage']
    expect(await growth('stowage_store_errors_total', stage, () => admin.put({ package: 'x' }, 'x'))).toBe(1)
    broken = []
    databaseIsAway = true
    const transaction = { place: 'transaction', code: 'storage-unavailable' }
    expect(
      await growth('stowage_database_errors_total', transaction, async () => {
        expect((await admin.put({ package: 'x' }, 'x')).status).toBe(503)
      }),
    ).toBeGreaterThanOrEqual(1)
    databaseIsAway = false
    // What a transaction refuses by its own rules is no error.
    const before = await later()
    expect((await admin.delete({ package: 'not-there' })).status).toBe(404)
    expect((await later()).value('stowage_database_errors_total')).toBe(before.value('stowage_database_errors_total'))

    await admin.put({ package: 'lost' }, 'to be lost')
    await stowage.change('update blobs set size = size + 1 where sha256 = (select max(sha256) from blobs)')
    const [{ owner, file } = {}] = await stowage.change(
      `select packages.name as owner, files.name as file from files join versions on versions.id = files.version_id
      join packages on packages.id = versions.package_id join blobs on blobs.id = files.blob_id
      where blobs.sha256 = (select max(sha256) from blobs)`,
    )
    const lost = { package: String(owner), file: String(file) }
    expect(await growth('stowage_store_errors_total', read, () => admin.get(lost))).toBe(1)
    await stowage.change('update blobs set size = size - 1 where sha256 = (select max(sha256) from blobs)')
  })

  test('show jobs, and those that fail', async () => {
    broken = ['digest']
    await stowage.admin.put({ package: 'digests' }, bytesForJob(1))
    const waiting = Number((await later()).value('stowage_jobs', { kind: 'digests', state: 'waiting' }))
    expect(waiting).toBeGreaterThan(0)
    const failures = { kind: 'digests' }
    const failed = await growth('stowage_job_failures_total', failures, () => stowage.stowage.runJobs())
    expect(failed).toBe(waiting)
    await stowage.change("update jobs set attempts = 35, due_at = 0 where kind = 'digests'")
    expect(await growth('stowage_jobs_given_up_total', failures, () => stowage.stowage.runJobs())).toBe(waiting)
    expect((await later()).value('stowage_jobs', { kind: 'digests', state: 'given-up' })).toBe(waiting)
    broken = []
  })

  test('show what is doomed, and what a sweep freed', async () => {
    const { admin } = stowage
    const file = { package: 'swept' }
    await admin.put(file, seededBytes(4_321, 9))
    expect(await growth('stowage_doomed_bytes', {}, () => admin.delete(file))).toBe(4_321)
    now += hour
    const freed = await growth('stowage_sweep_freed_bytes_total', { what: 'doomed' }, () => stowage.stowage.sweep())
    expect(freed).toBeGreaterThanOrEqual(4_321)
    const page = await later()
    expect(page.value('stowage_doomed_bytes')).toBe(0)
    expect(page.value('stowage_doomed_blobs')).toBe(0)
    expect(page.value('stowage_sweep_last_failed')).toBe(0)
    expect(Math.abs(now / 1000 - Number(page.value('stowage_sweep_last_timestamp_seconds')))).toBeLessThan(60)
  })

  test('of the process are there also while the database does not answer', async () => {
    await stowage.change('alter table jobs rename to jobs_away')
    try {
      const page = await later()
      expect(page.value('stowage_database_up')).toBe(0)
      expect(page.value('stowage_jobs')).toBeUndefined()
      expect(page.value('stowage_doomed_bytes')).toBeUndefined()
      expect(page.value('stowage_build_info')).toBe(1)
    } finally {
      await stowage.change('alter table jobs_away rename to jobs')
    }
    expect((await later()).value('stowage_database_up')).toBe(1)
  })
})

describe('who may see them', () => {
  const statusOf = async (stowage: TestStowage, headers: Record<string, string> = {}) =>
    (await fetch(`${stowage.url}/metrics`, { headers })).status

  test('nobody, where nothing is set: not even an administrator', async () => {
    await using stowage = await startStowage()
    const answer = await stowage.admin.fetch('/metrics')
    expect(answer.status).toBe(404)
    expect(await answer.text()).toBe(await (await stowage.admin.fetch('/no-such-page')).text())
  })

  test('listed addresses, as trusted proxies tell them', async () => {
    await using stowage = await startStowage({
      settings: {
        STOWAGE_METRICS_ALLOWED_ADDRESSES: '192.0.2.0/24, 2001:db8::/32',
        STOWAGE_TRUSTED_PROXIES: 'loopback',
      },
    })
    const from = (address: string) => statusOf(stowage, { 'X-Forwarded-For': address })
    expect(await from('192.0.2.7')).toBe(200)
    expect(await from('2001:db8::1')).toBe(200)
    expect(await from('192.0.3.7')).toBe(403)
    expect(await from('192.0.2.7, 198.51.100.1')).toBe(403)
    expect(await from('nonsense')).toBe(403)
    expect(await statusOf(stowage)).toBe(403)
    const refused = await fetch(`${stowage.url}/metrics`, { headers: { 'X-Forwarded-For': '192.0.3.7' } })
    expect(await refused.text()).toContain('Metrics are not shown to 192.0.3.7')
  })

  test('a listed address, and nobody who only says that he has it', async () => {
    await using stowage = await startStowage({ settings: { STOWAGE_METRICS_ALLOWED_ADDRESSES: '192.0.2.0/24' } })
    expect(await statusOf(stowage, { 'X-Forwarded-For': '192.0.2.7' })).toBe(403)
  })

  test('with both set, listed addresses that have the token', async () => {
    await using stowage = await startStowage({
      settings: {
        STOWAGE_METRICS_TOKEN: token,
        STOWAGE_METRICS_ALLOWED_ADDRESSES: '192.0.2.7',
        STOWAGE_TRUSTED_PROXIES: 'loopback',
        STOWAGE_PUBLIC_URL: 'https://example.com/stowage',
      },
    })
    const here = { 'X-Forwarded-For': '192.0.2.7' }
    expect(await statusOf(stowage, { ...here, ...bearer })).toBe(200)
    expect(await statusOf(stowage, here)).toBe(401)
    expect(await statusOf(stowage, { 'X-Forwarded-For': '192.0.2.8', ...bearer })).toBe(403)
    expect((await fetch(`${stowage.url}/stowage/metrics`, { headers: { ...here, ...bearer } })).status).toBe(200)
  })
})
