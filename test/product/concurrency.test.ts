import { describe, expect, test } from 'bun:test'
import { straight } from '../../server/catalogue/statement.ts'
import { transaction } from '../../server/catalogue/transaction.ts'
import { updateUser } from '../../server/catalogue/users.ts'
import { blobFiles, emptyParents, rowCounts } from '../support/inventory.ts'
import { usualNodes } from '../support/nodes.ts'
import { Seeded, seededBytes } from '../support/seeded.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { basic, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

/** Three nodes in one process, beside others, get as many done before somebody has waited for too long. */
const atOnce = usualNodes > 1 ? 20 : 40
const everyone = Array.from({ length: atOnce }, (_, index) => index)

async function statusesOf(answers: Promise<Response>[]): Promise<number[]> {
  return Promise.all(answers.map(async (answer) => (await answer).status))
}

/** What has to hold after every race: no empty version or package, no unused blob, no bytes that nothing names. */
async function expectOrder(stowage: TestStowage): Promise<void> {
  const { read } = stowage.stowage.registry.catalogue
  await stowage.stowage.sweep()
  expect(await emptyParents(read)).toEqual([])
  const rows = await rowCounts(read)
  expect((await blobFiles(stowage.dataDir)).size).toBe(rows.blobs + rows.doomed)
}

describe('many at once', () => {
  test('publish one name: one wins, the others are told that it is taken', async () => {
    await using stowage = await startStowage({ thread: true })
    const ada = await stowage.user('ada')
    const bodies = everyone.map((index) => seededBytes(20_000 + index, index))
    const answers = await Promise.all(bodies.map((body) => ada.put({}, body)))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([201, ...Array(atOnce - 1).fill(409)])
    const winner = bodies[statuses.indexOf(201)] as Uint8Array
    expect(Buffer.compare(await (await ada.get()).bytes(), winner)).toBe(0)
    for (const answer of answers) {
      if (answer.status === 409) expect(await answer.text()).toBe('package file already exists\n')
    }
    await expectOrder(stowage)
    expect(await rowCounts(stowage.stowage.registry.catalogue.read)).toMatchObject({ files: 1, blobs: 1 })
  })

  test('publish one name with the same bytes: still one winner', async () => {
    await using stowage = await startStowage({ thread: true })
    const ada = await stowage.user('ada')
    const statuses = await statusesOf(everyone.map(() => ada.put({}, seededBytes(5_000, 1))))
    expect(statuses.toSorted()).toEqual([201, ...Array(atOnce - 1).fill(409)])
    expect(Buffer.compare(await (await ada.get()).bytes(), seededBytes(5_000, 1))).toBe(0)
    await expectOrder(stowage)
  })

  test('publish one name in different letter case: still one winner', async () => {
    await using stowage = await startStowage({ thread: true })
    const ada = await stowage.user('ada')
    const names = everyone.map((index) =>
      [...'tool.bin'].map((sign, at) => ((index >> (at % 6)) & 1 ? sign.toUpperCase() : sign)).join(''),
    )
    const statuses = await statusesOf(names.map((file, index) => ada.put({ file }, seededBytes(100, index))))
    expect(statuses.toSorted()).toEqual([201, ...Array(atOnce - 1).fill(409)])
    await expectOrder(stowage)
  })

  test('publish different files of one new version: all succeed', async () => {
    await using stowage = await startStowage({ thread: true })
    const ada = await stowage.user('ada')
    const bodies = everyone.map((index) => seededBytes(1_000 * index, index))
    const statuses = await statusesOf(bodies.map((body, index) => ada.put({ file: `file-${index}` }, body)))
    expect(statuses).toEqual(Array(atOnce).fill(201))
    for (const [index, body] of bodies.entries()) {
      expect(Buffer.compare(await (await ada.get({ file: `file-${index}` })).bytes(), body)).toBe(0)
    }
    const rows = await rowCounts(stowage.stowage.registry.catalogue.read)
    expect(rows).toMatchObject({ packages: 1, versions: 1, files: atOnce, blobs: atOnce })
    await expectOrder(stowage)
  })

  test('publish new versions of one new package: all succeed', async () => {
    await using stowage = await startStowage({ thread: true })
    const ada = await stowage.user('ada')
    const statuses = await statusesOf(
      everyone.map((index) => ada.put({ version: `1.${index}` }, seededBytes(3_000, index))),
    )
    expect(statuses).toEqual(Array(atOnce).fill(201))
    const rows = await rowCounts(stowage.stowage.registry.catalogue.read)
    expect(rows).toMatchObject({ packages: 1, versions: atOnce, files: atOnce, blobs: atOnce })
    await expectOrder(stowage)
  })

  test('publish new packages with the same bytes: all succeed, and the bytes are stored once', async () => {
    await using stowage = await startStowage({ thread: true })
    const ada = await stowage.user('ada')
    const body = seededBytes(3_000, 1)
    const statuses = await statusesOf(everyone.map((index) => ada.put({ package: `tool-${index}` }, body)))
    expect(statuses).toEqual(Array(atOnce).fill(201))
    const rows = await rowCounts(stowage.stowage.registry.catalogue.read)
    expect(rows).toMatchObject({ packages: atOnce, versions: atOnce, files: atOnce, blobs: 1 })
    await expectOrder(stowage)
    expect((await blobFiles(stowage.dataDir)).size).toBe(1)
  })

  test('delete all files of a version: no empty version is left', async () => {
    await using stowage = await startStowage({ thread: true })
    const ada = await stowage.user('ada')
    for (const round of [1, 2, 3]) {
      const published = everyone.map((index) =>
        ada.put({ file: `file-${index}` }, seededBytes(500, round * 100 + index)),
      )
      expect(await statusesOf(published)).toEqual(Array(atOnce).fill(201))
      // Each file twice, and in the last round the whole version too.
      const deletes = [...everyone, ...everyone].map((index) => ada.delete({ file: `file-${index}` }))
      if (round === 3) deletes.push(ada.deleteVersion(), ada.deleteVersion())
      const statuses = await statusesOf(deletes)
      expect(statuses.every((status) => status === 204 || status === 404)).toBe(true)
      if (round < 3) expect(statuses.filter((status) => status === 204)).toHaveLength(atOnce)
      const rows = await rowCounts(stowage.stowage.registry.catalogue.read)
      expect(rows).toMatchObject({ packages: 0, versions: 0, files: 0, blobs: 0 })
      for (const index of everyone) expect((await ada.get({ file: `file-${index}` })).status).toBe(404)
    }
  })

  test('publish into a version and delete from it: nothing empty, and what stands is right', async () => {
    await using stowage = await startStowage({ thread: true })
    const ada = await stowage.user('ada')
    for (const round of [1, 2, 3, 4]) {
      const old = `old-${round}`
      expect((await ada.put({ file: old }, old)).status).toBe(201)
      const [deleted, deletedVersion, ...published] = await statusesOf([
        ada.delete({ file: old }),
        ada.deleteVersion(),
        ...everyone.map((index) => ada.put({ file: `new-${round}-${index}` }, seededBytes(900, round * 100 + index))),
      ])
      expect([204, 404]).toContain(deleted as number)
      expect([204, 404]).toContain(deletedVersion as number)
      expect(published).toEqual(Array(atOnce).fill(201))
      await expectOrder(stowage)
      for (const index of everyone) {
        const answer = await ada.get({ file: `new-${round}-${index}` })
        // The whole version may have been deleted after this file came.
        expect([200, 404]).toContain(answer.status)
        const right = seededBytes(900, round * 100 + index)
        if (answer.status === 200) expect(Buffer.compare(await answer.bytes(), right)).toBe(0)
      }
      await ada.deleteVersion()
    }
  })
})

test('the same bytes, published and deleted and swept all the time, are never lost', async () => {
  await using stowage = await startStowage({ settings: { STOWAGE_BLOB_GRACE: '0' } })
  const ada = await stowage.user('ada')
  const random = new Seeded(7)
  const contents = [seededBytes(4_000, 1), seededBytes(300_000, 2), new Uint8Array(0)]
  const bodyOf = (index: number) => contents[index % contents.length] as Uint8Array<ArrayBuffer>
  const alive = new Set<number>()
  let last = 0

  let sweeping = true
  const sweeps = (async () => {
    while (sweeping) {
      await stowage.stowage.sweep()
      // A sweep that finds nothing waits for nothing: without this the loop would let nobody else run.
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  try {
    const rounds = usualNodes > 1 ? 4 : 12
    for (let round = 0; round < rounds; round += 1) {
      const deleted = [...alive].filter(() => random.chance(0.8))
      const published = Array.from({ length: 20 }, () => ++last)
      for (const index of deleted) alive.delete(index)
      const [deletes, puts] = await Promise.all([
        statusesOf(deleted.map((index) => ada.delete({ file: `file-${index}` }))),
        statusesOf(published.map((index) => ada.put({ file: `file-${index}` }, bodyOf(index)))),
      ])
      expect(deletes).toEqual(deleted.map(() => 204))
      expect(puts).toEqual(published.map(() => 201))
      for (const index of published) alive.add(index)
      for (const index of alive) {
        const answer = await ada.get({ file: `file-${index}` })
        expect(answer.status).toBe(200)
        expect(Buffer.compare(await answer.bytes(), bodyOf(index))).toBe(0)
      }
    }
  } finally {
    sweeping = false
    await sweeps
  }
  await expectOrder(stowage)
  await ada.deleteVersion()
  await stowage.stowage.sweep()
  expect(await blobFiles(stowage.dataDir)).toEqual(new Map())
}, 60_000)

test('a download of what is being deleted is whole and right, or 404', async () => {
  await using stowage = await startStowage({ thread: true })
  const ada = await stowage.user('ada')
  let whole = 0
  for (let round = 0; round < 5; round += 1) {
    const size = [10, 70_000, 3_000_000, 1_000_000, 200_000][round] as number
    const body = seededBytes(size, round + 1)
    expect((await ada.put({ file: 'a' }, body)).status).toBe(201)
    const downloads = everyone.map(async (index) => {
      const ranges: Record<string, string> = index % 4 === 3 ? { Range: `bytes=1-${size - 1}` } : {}
      const answer = await stowage.anonymous.get({ owner: 'ada', file: 'a' }, ranges)
      if (answer.status === 404) return
      expect(answer.status).toBe(index % 4 === 3 ? 206 : 200)
      expect(Buffer.compare(await answer.bytes(), index % 4 === 3 ? body.subarray(1) : body)).toBe(0)
      whole += 1
    })
    const deleted = ada.delete({ file: 'a' })
    const swept = stowage.stowage.sweep()
    await Promise.all([...downloads, swept])
    expect((await deleted).status).toBe(204)
    expect((await ada.get({ file: 'a' })).status).toBe(404)
  }
  expect(whole).toBeGreaterThan(0)
})

describe('an upload that is running when its right ends', () => {
  const target = '/api/packages/ada/generic/tool/1.0/tool.bin'
  const prohibit = transaction('prohibit login', async (tx, args: { id: number }) =>
    updateUser(tx, args.id, { prohibit_login: 1 }),
  )
  const deactivate = transaction('deactivate', async (tx, args: { id: number }) =>
    updateUser(tx, args.id, { is_active: 0 }),
  )
  const changePassword = transaction('change password', async (tx, args: { id: number }) =>
    updateUser(tx, args.id, {
      password_hash: await Bun.password.hash('another-Pass-1234', { algorithm: 'bcrypt', cost: 4 }),
    }),
  )

  async function upload(stowage: TestStowage, authorization: string, endRight: () => Promise<unknown>) {
    const body = seededBytes(100_000, 3)
    using running = await SlowUpload.begin(stowage.port, target, { Authorization: authorization }, body.length)
    await running.send(body.subarray(0, 60_000))
    await until(
      async () => [...(await blobFiles(stowage.dataDir)).values()].some((size) => size > 0),
      'the first bytes are on the disk',
    )
    await endRight()
    await running.send(body.subarray(60_000))
    return await running.answer()
  }

  async function expectNothingStored(stowage: TestStowage) {
    const rows = await rowCounts(stowage.stowage.registry.catalogue.read)
    expect(rows).toMatchObject({ packages: 0, versions: 0, files: 0, blobs: 0, doomed: 0, jobs: 0 })
    await until(async () => (await blobFiles(stowage.dataDir)).size === 0, 'the staged bytes are dropped')
    expect((await stowage.admin.get({ owner: 'ada' })).status).toBe(404)
  }

  test('its token is deleted: refused, nothing stored', async () => {
    await using stowage = await startStowage({ thread: true })
    const ada = await stowage.user('ada')
    const { secret } = await ada.token(['write:package'], { name: 'ci' })
    const answer = await upload(stowage, `token ${secret}`, async () => {
      expect((await ada.fetch('/api/v1/users/ada/tokens/ci', { method: 'DELETE' })).status).toBe(204)
    })
    expect(answer.status).toBe(401)
    expect(answer.body.toString()).toBe('Failed to authenticate user\n')
    await expectNothingStored(stowage)
  })

  test.each([
    ['sign-in is prohibited', prohibit],
    ['the account is inactive', deactivate],
    ['the password is changed', changePassword],
  ])('%s: refused, nothing stored', async (_, change) => {
    await using stowage = await startStowage({ replace: { aroundStatement: straight } })
    await stowage.user('ada')
    const { catalogue } = stowage.stowage.registry
    const { id } = await catalogue.read
      .selectFrom('owners')
      .select('id')
      .where('name', '=', 'ada')
      .executeTakeFirstOrThrow()
    const answer = await upload(stowage, basic('ada', 'ada-Pass-1234'), () => catalogue.transact(change, { id }))
    expect(answer.status).toBe(401)
    await expectNothingStored(stowage)
  })

  test('its token expires: refused, nothing stored', async () => {
    let now = Date.now()
    await using stowage = await startStowage({ replace: { now: () => now } })
    const ada = await stowage.user('ada')
    const expires = new Date(now + 60_000).toISOString()
    const { secret } = await ada.token(['write:package'], { name: 'ci', expires_at: expires })
    const answer = await upload(stowage, `token ${secret}`, async () => {
      now += 60_001
    })
    expect(answer.status).toBe(401)
    await expectNothingStored(stowage)
  })

  test('its name is taken by a faster one: 409, and the faster one stays', async () => {
    await using stowage = await startStowage({ thread: true })
    const ada = await stowage.user('ada')
    const answer = await upload(stowage, basic('ada', 'ada-Pass-1234'), async () => {
      expect((await ada.put({}, 'faster')).status).toBe(201)
    })
    expect(answer.status).toBe(409)
    expect(await (await ada.get()).text()).toBe('faster')
    await until(async () => (await blobFiles(stowage.dataDir)).size === 1, 'the slower bytes are dropped')
  })
})
