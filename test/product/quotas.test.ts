import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { siteFact } from '../../server/catalogue/site.ts'
import { takeLease } from '../../server/registry/leases.ts'
import { blobFiles } from '../support/inventory.ts'
import { seededBytes } from '../support/seeded.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { basic, type Client, type FileAddress, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const tooMany = 'maximum allowed package count exceeded\n'
const tooLarge = 'maximum allowed package type size exceeded\n'
const tooMuch = 'maximum allowed package storage quota exceeded\n'

interface Numbers {
  versions?: number | null
  bytes?: number | null
  file_size?: number | null
}

let stowage: TestStowage
beforeAll(async () => {
  stowage = await startStowage({ settings: { STOWAGE_LIMIT_FILE_SIZE: '1000000' } })
})
afterAll(() => stowage[Symbol.asyncDispose]())

const patch = (client: Client, path: string, body: unknown) =>
  client.fetch(path, { method: 'PATCH', body: JSON.stringify(body) })

async function limit(owner: string, numbers: Numbers, at = stowage): Promise<void> {
  expect((await patch(at.admin, `/api/v1/admin/quotas/owners/${owner}`, numbers)).status).toBe(200)
}

async function limitSite(change: { site?: Numbers; owners?: Numbers }): Promise<void> {
  expect((await patch(stowage.admin, '/api/v1/admin/quotas', change)).status).toBe(200)
}

const nothing = { versions: null, bytes: null, file_size: null }

/** For one test, which must not bind the next one. */
async function withSite(change: Parameters<typeof limitSite>[0], work: () => Promise<void>): Promise<void> {
  await limitSite(change)
  try {
    await work()
  } finally {
    await limitSite({ site: nothing, owners: nothing })
  }
}

let users = 0
async function someone(numbers: Numbers = {}): Promise<Client> {
  users += 1
  const client = await stowage.user(`user${users}`)
  await limit(client.name, numbers)
  return client
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API.
async function json(answer: Promise<Response>): Promise<any> {
  return (await answer).json()
}

const usageOf = (client: Client) => json(client.fetch(`/api/v1/usage/${client.name}`))

/** How many reservations there are; 0 once all uploads have ended. */
async function reservations(at = stowage): Promise<number> {
  const [row] = await at.change('select count(*) as number from reservations')
  return Number(row?.number)
}

/** A body whose length nobody declares. */
function chunked(bytes: Uint8Array, chunk = bytes.byteLength): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.byteLength) return controller.close()
      controller.enqueue(bytes.subarray(at, at + chunk))
      at += chunk
    },
  })
}

const told = async (answer: Promise<Response>) => {
  const response = await answer
  return { status: response.status, text: await response.text() }
}

const published = { status: 201, text: '' }
const refused = (text: string) => ({ status: 403, text })

/** A form with one file. */
function form(bytes: Uint8Array): FormData {
  const data = new FormData()
  data.append('file', new Blob([bytes as Uint8Array<ArrayBuffer>]), 'file')
  return data
}

const ways: [string, (bytes: Uint8Array) => RequestInit['body']][] = [
  ['with its length', (bytes) => bytes as Uint8Array<ArrayBuffer>],
  ['without its length', (bytes) => chunked(bytes)],
  ['in a form', form],
]

describe.each(ways)('a file that is sent %s', (_, body) => {
  const put = (by: Client, address: FileAddress, size: number) => told(by.put(address, body(seededBytes(size, size))))

  test('may fill a quota of bytes to the last, and not pass it', async () => {
    const ada = await someone({ bytes: 1000 })
    expect(await put(ada, { file: 'a' }, 600)).toEqual(published)
    expect(await put(ada, { file: 'b' }, 401)).toEqual(refused(tooMuch))
    expect(await put(ada, { file: 'c', version: '2' }, 400)).toEqual(published)
    expect(await put(ada, { file: 'd' }, 1)).toEqual(refused(tooMuch))
    expect(await put(ada, { file: 'empty' }, 0)).toEqual(published)
    expect(await usageOf(ada)).toMatchObject({ versions: 2, files: 3, size: 1000, reserved_size: 0 })
    expect((await ada.delete({ file: 'a' })).status).toBe(204)
    expect(await put(ada, { file: 'e' }, 600)).toEqual(published)
  })

  test('counts for itself, also where its bytes are there already', async () => {
    const ada = await someone({ bytes: 1500 })
    expect(await put(ada, { file: 'a' }, 600)).toEqual(published)
    expect(await put(ada, { file: 'b' }, 600)).toEqual(published)
    expect(await put(ada, { file: 'c' }, 600)).toEqual(refused(tooMuch))
    expect(await usageOf(ada)).toMatchObject({ size: 1200 })
  })

  test('may be of a version that is there, and of no new one, where there are as many as there may be', async () => {
    const ada = await someone({ versions: 1 })
    expect(await put(ada, { file: 'a' }, 10)).toEqual(published)
    expect(await put(ada, { version: '2' }, 10)).toEqual(refused(tooMany))
    expect(await put(ada, { package: 'other' }, 10)).toEqual(refused(tooMany))
    expect(await put(ada, { file: 'b' }, 10)).toEqual(published)
    await ada.deleteVersion()
    expect(await put(ada, { version: '2' }, 10)).toEqual(published)
  })

  test('may be as large as a file may', async () => {
    const ada = await someone({ file_size: 100 })
    expect(await put(ada, { file: 'a' }, 100)).toEqual(published)
    expect(await put(ada, { file: 'b' }, 101)).toEqual(refused(tooLarge))
    await limit(ada.name, { file_size: -1 })
    expect(await put(ada, { file: 'b' }, 101)).toEqual(published)
    expect(await put(ada, { file: 'c' }, 1_000_001)).toEqual(refused(tooLarge))
  })

  test('of an administrator is bound by the largest file size of the site alone', async () => {
    const ada = await someone({ versions: 0, bytes: 0, file_size: 0 })
    const admin = stowage.admin.as(ada.name)
    await withSite({ site: { file_size: 500, bytes: 0, versions: 0 }, owners: { file_size: 1 } }, async () => {
      expect(await put(admin, { file: 'a' }, 500)).toEqual(published)
      expect(await put(admin, { file: 'b' }, 501)).toEqual(refused(tooLarge))
      expect(await put(ada, { file: 'c' }, 1)).toMatchObject({ status: 403 })
    })
  })
})

test('a default binds owners without a number of their own, and the site all together', async () => {
  const [ada, bob] = [await someone(), await someone({ bytes: 5000, versions: -1 })]
  const before = Number((await stowage.change('select sum(bytes) as bytes from owner_counts'))[0]?.bytes)
  await withSite({ owners: { bytes: 100, versions: 1 } }, async () => {
    expect(await told(ada.put({}, 'x'.repeat(101)))).toEqual(refused(tooMuch))
    expect(await told(ada.put({}, 'x'))).toEqual(published)
    expect(await told(ada.put({ version: '2' }, 'x'))).toEqual(refused(tooMany))
    expect(await told(bob.put({}, 'x'.repeat(101)))).toEqual(published)
    expect(await told(bob.put({ version: '2' }, 'x'))).toEqual(published)
  })
  await withSite({ site: { bytes: before + 1000 } }, async () => {
    expect(await told(ada.put({ file: 'b' }, 'x'.repeat(500)))).toEqual(published)
    expect(await told(bob.put({ file: 'b' }, 'x'.repeat(397)))).toEqual(published)
    expect(await told(ada.put({ file: 'c' }, 'x'))).toEqual(refused(tooMuch))
    expect(await told(bob.put({ file: 'c' }, chunked(seededBytes(1, 1))))).toEqual(refused(tooMuch))
  })
  expect(await reservations()).toBe(0)
})

describe('what is refused', () => {
  const rights = (client: Client) => ({ Authorization: basic(client.name, `${client.name}-Pass-1234`) })

  test('is refused before the body where its length is known, and cut off where it is not', async () => {
    const ada = await someone({ bytes: 1000 })
    using declared = await SlowUpload.begin(stowage.port, ada.path(), rights(ada), 1001)
    using open = await SlowUpload.begin(stowage.port, ada.path(), rights(ada), undefined)
    await open.send(`3e8\r\n${'x'.repeat(1000)}\r\n`)
    await until(async () => (await usageOf(ada)).reserved_size === 1000, 'as much is reserved as has come')
    await open.send('1\r\nx\r\n')
    const answers = await Promise.all([declared.answer(), open.answer()])
    expect(answers.map(({ status }) => status)).toEqual([403, 403])
    expect(await usageOf(ada)).toMatchObject({ size: 0, reserved_size: 0, reserved_versions: 0 })
  })

  test('is told before a name that is taken, and after a name that cannot be', async () => {
    const ada = await someone()
    expect((await ada.put({}, 'x')).status).toBe(201)
    await limit(ada.name, { bytes: 1 })
    expect(await told(ada.put({}, 'y'))).toEqual(refused(tooMuch))
    expect((await ada.put({ file: ' ' }, 'y')).status).toBe(400)
    await limit(ada.name, { bytes: 2 })
    expect((await ada.put({}, 'y')).status).toBe(409)
    expect(await reservations()).toBe(0)
  })

  test('is told as JSON to whoever prefers it', async () => {
    const ada = await someone({ versions: 0 })
    const answer = await ada.put({}, 'x', { Accept: 'application/json' })
    expect(await answer.json()).toMatchObject({ status: 403, detail: tooMany.trim() })
  })

  test('is nothing that deletes: what was lowered below what is there keeps it', async () => {
    const ada = await someone()
    expect((await ada.put({}, 'xyz')).status).toBe(201)
    await limit(ada.name, { versions: 0, bytes: 1, file_size: 1 })
    expect(await (await ada.get()).text()).toBe('xyz')
    expect((await ada.delete()).status).toBe(204)
  })
})

describe('parallel uploads', () => {
  test.each([
    ['with their length', (bytes: Uint8Array) => bytes as Uint8Array<ArrayBuffer>],
    ['without', (bytes: Uint8Array) => chunked(bytes)],
  ])('fill a quota of bytes and do not pass it: %s', async (_, body) => {
    const ada = await someone({ bytes: 5 * 1000 + 999 })
    const files = Array.from({ length: 12 }, (_, index) => index)
    const answers = await Promise.all(
      files.map((index) => told(ada.put({ file: `${index}` }, body(seededBytes(1000, index))))),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 403).map(({ text }) => text)).toEqual(Array(7).fill(tooMuch))
    expect(await usageOf(ada)).toMatchObject({ size: 5000, files: 5, reserved_size: 0, reserved_versions: 0 })
  })

  test('in many chunks keep within it, whoever is cut off', async () => {
    const ada = await someone({ bytes: 100_000 })
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        ada.put({ file: `${index}` }, chunked(seededBytes(30_000, index), 5_000)),
      ),
    )
    const done = answers.filter(({ status }) => status === 201).length
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(8 - done)
    expect(done).toBeLessThanOrEqual(3)
    expect(await usageOf(ada)).toMatchObject({ size: done * 30_000, reserved_size: 0 })
  })

  test('make as many versions as there may be; files of one new version make one', async () => {
    const ada = await someone({ versions: 3 })
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        told(ada.put({ version: `${Math.floor(index / 2)}`, file: `${index % 2}` }, 'x')),
      ),
    )
    const byVersion = Array.from({ length: 6 }, (_, version) => answers.slice(2 * version, 2 * version + 2))
    for (const [one, other] of byVersion) expect(one).toEqual(other as typeof published)
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(6)
    expect(await usageOf(ada)).toMatchObject({ versions: 3, files: 6, reserved_versions: 0 })
  })

  test('at several owners do not pass the quota of the site together', async () => {
    const people = [await someone(), await someone(), await someone()]
    const sum = async () => Number((await stowage.change('select sum(bytes) as bytes from owner_counts'))[0]?.bytes)
    const before = await sum()
    await withSite({ site: { bytes: before + 4_500 } }, async () => {
      const answers = await Promise.all(
        people.flatMap((by) => [1, 2, 3].map((file) => told(by.put({ file: `${file}` }, seededBytes(1000, file))))),
      )
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(4)
      expect(await sum()).toBe(before + 4000)
    })
    expect(await reservations()).toBe(0)
  })
})

describe('what an upload has reserved', () => {
  const rights = (client: Client) => ({ Authorization: basic(client.name, `${client.name}-Pass-1234`) })

  test('is shown to who may write there, and counts for others', async () => {
    const ada = await someone({ bytes: 1000, versions: 1 })
    using slow = await SlowUpload.begin(stowage.port, ada.path(), rights(ada), 600)
    await until(async () => (await usageOf(ada)).reserved_size === 600, 'it is reserved')
    expect(await usageOf(ada)).toMatchObject({ versions: 0, size: 0, reserved_versions: 1 })
    expect(await told(ada.put({ file: 'b' }, 'x'.repeat(401)))).toEqual(refused(tooMuch))
    expect(await told(ada.put({ version: '2' }, 'x'))).toEqual(refused(tooMany))
    expect(await told(ada.put({ file: 'b' }, 'x'.repeat(400)))).toEqual(published)
    await slow.send('x'.repeat(600))
    expect(await slow.answer()).toMatchObject({ status: 201 })
    expect(await usageOf(ada)).toMatchObject({ versions: 1, size: 1000, reserved_size: 0, reserved_versions: 0 })
  })

  test('is given back by any end', async () => {
    const ada = await someone({ bytes: 1000, versions: 5 })
    const wrong = { 'X-Checksum-Sha256': '0'.repeat(64) }
    expect((await ada.put({}, 'x'.repeat(900), wrong)).status).toBe(400)
    expect(await reservations()).toBe(0)

    const slow = await SlowUpload.begin(stowage.port, ada.path(), rights(ada), 900)
    await until(async () => (await reservations()) === 1, 'it is reserved')
    slow[Symbol.dispose]()
    await until(async () => (await reservations()) === 0, 'the lost connection gives it back')

    using one = await SlowUpload.begin(stowage.port, ada.path(), rights(ada), 4)
    using other = await SlowUpload.begin(stowage.port, ada.path(), rights(ada), 4)
    await until(async () => (await reservations()) === 2, 'both are reserved')
    await one.send('same')
    expect((await one.answer()).status).toBe(201)
    await other.send('name')
    expect((await other.answer()).status).toBe(409)
    expect(await usageOf(ada)).toMatchObject({ size: 4, reserved_size: 0, reserved_versions: 0 })
  })

  test('is judged anew at its next step where a limit is set meanwhile', async () => {
    const ada = await someone({ bytes: 1_000_000 })
    using slow = await SlowUpload.begin(stowage.port, ada.path(), rights(ada), undefined)
    await slow.send(`64\r\n${'x'.repeat(100)}\r\n`)
    await until(async () => (await usageOf(ada)).reserved_size === 100, 'it has begun')
    await limit(ada.name, { bytes: 150 })
    await slow.send(`64\r\n${'x'.repeat(100)}\r\n0\r\n\r\n`)
    expect((await slow.answer()).status).toBe(403)
  })

  test('binds an administrator who is none any more when his upload ends', async () => {
    const grace = await someone()
    await limit(grace.name, { bytes: 10 })
    const admin = (is: boolean) => patch(stowage.admin, `/api/v1/admin/users/${grace.name}`, { admin: is })
    expect((await admin(true)).status).toBe(200)
    using slow = await SlowUpload.begin(stowage.port, grace.path(), rights(grace), 100)
    await slow.send('x'.repeat(50))
    await until(async () => (await staged()) > 0, 'it has begun')
    expect((await admin(false)).status).toBe(200)
    await slow.send('x'.repeat(50))
    expect((await slow.answer()).status).toBe(403)
    expect(await usageOf(grace)).toMatchObject({ size: 0 })
  })

  test('goes with the lease of the process', async () => {
    await using other = await startStowage()
    const ada = await other.user('ada')
    await limit('ada', { bytes: 1000 }, other)
    using slow = await SlowUpload.begin(other.port, ada.path(), rights(ada), 900)
    await until(async () => (await reservations(other)) === 1, 'it is reserved')
    // As the next process on this data directory does, once the lock shows that this one is gone.
    const { catalogue, now } = other.stowage.registry
    const storageId = (await siteFact(catalogue.read, 'storage-id')) ?? ''
    await catalogue.transact(takeLease, { id: 'next', holder: 'next', predecessors: 'all', storageId, now: now() })
    expect(await reservations(other)).toBe(0)
    await slow.send('x'.repeat(900))
    expect((await slow.answer()).status).toBe(503)
    expect(await told(ada.put({}, 'x'.repeat(1000)))).toEqual(published)
  })

  test('is given back later where the database did not take it at once', async () => {
    let isAway = true
    await using other = await startStowage({
      replace: {
        catalogue: (catalogue) => ({
          ...catalogue,
          read: catalogue.read,
          transact: async (transaction, args) => {
            if (isAway && transaction.name === 'give back') throw new Error('away')
            return catalogue.transact(transaction, args)
          },
          probe: () => catalogue.probe(),
          close: () => catalogue.close(),
        }),
      },
    })
    const ada = await other.user('ada')
    await limit('ada', { bytes: 1000 }, other)
    expect((await ada.put({}, 'x', { 'X-Checksum-Sha256': '0'.repeat(64) })).status).toBe(400)
    using slow = await SlowUpload.begin(other.port, ada.path(), rights(ada), 900)
    await until(async () => (await reservations(other)) === 2, 'one is left, one is under way')
    isAway = false
    await other.stowage.sweep()
    expect(await reservations(other)).toBe(1)
    await slow.send('x'.repeat(900))
    expect((await slow.answer()).status).toBe(201)
  })

  test('is given back where a node of an older release declared its process dead, which knows nothing of it', async () => {
    await using other = await startStowage()
    await other.change(
      `insert into leases (id, kind, holder, expires_at, dead_since) values ('dead', 'process', 'x', 1, 2)`,
    )
    for (const lease of ['dead', 'struck off']) {
      await other.change(`
        insert into reservations (upload_id, lease_id, owner_id, package_key, version_key, bytes, created_at)
        select 'under ${lease}', '${lease}', min(id), 'tool', '1', 10, 1 from owners`)
    }
    await other.stowage.sweep()
    expect(await reservations(other)).toBe(0)
  })
})

/** Uploads of which bytes have come. */
async function staged(): Promise<number> {
  const [row] = await stowage.change('select count(*) as number from blobs')
  return (await blobFiles(stowage.dataDir)).size - Number(row?.number)
}

describe('the quotas themselves', () => {
  const quotas = '/api/v1/admin/quotas'

  test('are shown, changed and taken away', async () => {
    const { admin } = stowage
    expect(await json(admin.fetch(quotas))).toEqual({ site: nothing, owners: nothing })
    const ada = await stowage.user('quota-ada')
    const own = `${quotas}/owners/quota-ada`
    expect(await json(admin.fetch(own))).toEqual({
      ...{ owner: 'quota-ada', ...nothing },
      effective: { versions: null, bytes: null, file_size: 1_000_000 },
    })
    await withSite({ site: { file_size: 5000, bytes: 10 ** 12 }, owners: { versions: 7, bytes: 70 } }, async () => {
      expect(await json(patch(admin, quotas, { owners: { bytes: null } }))).toEqual({
        site: { versions: null, bytes: 10 ** 12, file_size: 5000 },
        owners: { versions: 7, bytes: null, file_size: null },
      })
      expect(await json(patch(admin, own, { versions: -1, bytes: 5 }))).toEqual({
        ...{ owner: 'quota-ada', versions: -1, bytes: 5, file_size: null },
        effective: { versions: null, bytes: 5, file_size: 5000 },
      })
      expect((await usageOf(ada)).quota).toEqual({ versions: null, bytes: 5, file_size: 5000 })
    })
    const listed = await admin.fetch(`${quotas}/owners?limit=50`)
    expect(await listed.json()).toContainEqual({ owner: 'quota-ada', versions: -1, bytes: 5, file_size: null })
    expect((await admin.fetch(own, { method: 'DELETE' })).status).toBe(204)
    expect(JSON.stringify(await json(admin.fetch(`${quotas}/owners?limit=50`)))).not.toContain('quota-ada')
    // Numbers that are all null are none.
    await limit('quota-ada', nothing)
    expect(JSON.stringify(await json(admin.fetch(`${quotas}/owners?limit=50`)))).not.toContain('quota-ada')
  })

  test('are written down in the audit log, as they were and as they are', async () => {
    const ada = await someone()
    await limit(ada.name, { bytes: 5 })
    await limit(ada.name, { bytes: 7, versions: 1 })
    await limit(ada.name, { bytes: 7 })
    await withSite({ owners: { bytes: 9 } }, async () => undefined)
    const rows = await stowage.change(`
      select owner_name, actor_name, details from audit_events where action = 'quota.changed' order by id desc limit 4`)
    expect(rows.map(({ details, ...rest }) => ({ ...rest, ...JSON.parse(String(details)) }))).toMatchObject([
      { owner_name: null, fields: ['owner_bytes'], owner_bytes_before: 9, owner_bytes: null },
      { owner_name: null, fields: ['owner_bytes'], owner_bytes_before: null, owner_bytes: 9 },
      { owner_name: ada.name, fields: ['versions', 'bytes'], bytes_before: 5, bytes: 7, versions: 1 },
      { owner_name: ada.name, actor_name: 'admin', fields: ['bytes'], bytes_before: null, bytes: 5 },
    ])
  })

  test.each([
    [quotas, { site: { bytes: -1 } }],
    [quotas, { site: { bytes: 1.5 } }],
    [quotas, { site: { bytes: '5' } }],
    [quotas, { site: { bytes: 2 ** 60 } }],
    [quotas, { site: { size: 1 } }],
    [quotas, { everybody: {} }],
    [`${quotas}/owners/admin`, { bytes: -2 }],
    [`${quotas}/owners/admin`, { site: {} }],
  ])('are not taken where they make no sense: %s %j', async (path, body) => {
    expect((await patch(stowage.admin, path, body)).status).toBe(422)
  })

  test('are the administrators’ business, and of owners that there are', async () => {
    const ada = await someone()
    expect((await ada.fetch(quotas)).status).toBe(403)
    expect((await patch(ada, quotas, {})).status).toBe(403)
    expect((await patch(ada, `${quotas}/owners/${ada.name}`, { bytes: -1 })).status).toBe(403)
    // Also of who is not there: nobody learns that.
    expect((await ada.fetch(`${quotas}/owners/nobody`)).status).toBe(403)
    expect((await stowage.admin.fetch(`${quotas}/owners/nobody`)).status).toBe(404)
    expect((await patch(stowage.admin, `${quotas}/owners/nobody`, {})).status).toBe(404)
    const reader = await stowage.admin.token(['read:admin'])
    expect((await reader.fetch(quotas)).status).toBe(200)
    expect((await patch(reader, quotas, {})).status).toBe(403)
  })
})
