import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { blobFiles } from '../support/inventory.ts'
import { Seeded, seededBytes, sha256Of } from '../support/seeded.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import type { Client, FileAddress } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const seed = Number(process.env.KILLS_SEED ?? 20_260_730)
const kills = 80
const clients = 8
const sizes = [0, 1, 1, 200, 10_000, 10_000, 10_000, 300_000, 300_000, 5_000_000]
const contents = 60
const settings = { STOWAGE_BLOB_GRACE: '0' }

/** What the test knows of one address. `unknown`: the server died before it answered. */
type State = { is: 'there'; content: number } | { is: 'absent' } | { is: 'unknown'; content: number }

const sizeOf = (content: number) => sizes[content % sizes.length] as number
const bytesOf = (content: number) => seededBytes(sizeOf(content), content + 1)

/** Everything that was asked and answered, over all lives of the server. */
class Ledger {
  readonly files = new Map<string, State>()
  readonly counts = { put: 0, deleted: 0, unanswered: 0, unansweredDone: 0 }
  readonly #busy = new Set<string>()
  readonly #random: Seeded

  constructor(random: Seeded) {
    this.#random = random
  }

  /** An address that no other client is using just now. */
  take(name: string): boolean {
    if (this.#busy.has(name)) return false
    this.#busy.add(name)
    return true
  }

  free(name: string): void {
    this.#busy.delete(name)
  }

  some(is: State['is'], count: number): string[] {
    const names = [...this.files].filter(([, state]) => state.is === is).map(([name]) => name)
    return Array.from({ length: Math.min(count, names.length) }, () => this.#random.pick(names))
  }
}

function addressOf(name: string): FileAddress {
  const [version = '', file = ''] = name.split('/')
  return { package: 'kills', version, file }
}

type Dead = () => boolean
const alive: Dead = () => false

/** The answer, or nothing where the server died first. A living server that does not answer is a failure. */
async function answered<T>(dead: Dead, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (!dead()) throw error
    return undefined
  }
}

async function publish(ledger: Ledger, client: Client, name: string, content: number, dead: Dead): Promise<void> {
  const before = ledger.files.get(name) ?? { is: 'absent' }
  // A name that is taken stays what it is, whatever becomes of this request.
  if (before.is === 'absent') ledger.files.set(name, { is: 'unknown', content })
  const answer = await answered(dead, client.put(addressOf(name), bytesOf(content)))
  if (!answer) {
    ledger.counts.unanswered += 1
    return
  }
  const { status } = answer
  expect({ name, before, status }).toEqual({ name, before, status: before.is === 'absent' ? 201 : 409 })
  if (before.is !== 'absent') return
  ledger.files.set(name, { is: 'there', content })
  ledger.counts.put += 1
}

async function remove(ledger: Ledger, client: Client, name: string, dead: Dead): Promise<void> {
  const before = ledger.files.get(name) ?? { is: 'absent' }
  if (before.is === 'there') ledger.files.set(name, { is: 'unknown', content: before.content })
  const answer = await answered(dead, client.delete(addressOf(name)))
  if (!answer) {
    ledger.counts.unanswered += 1
    return
  }
  const { status } = answer
  expect({ name, before, status }).toEqual({ name, before, status: before.is === 'absent' ? 404 : 204 })
  if (before.is === 'there') ledger.counts.deleted += 1
  ledger.files.set(name, { is: 'absent' })
}

/** Reads one address back; an unknown one is settled by what is found, and has to stay so. */
async function check(ledger: Ledger, client: Client, name: string, dead: Dead = alive): Promise<void> {
  const state = ledger.files.get(name) ?? { is: 'absent' }
  const found = await answered(
    dead,
    client.get(addressOf(name)).then(async (answer) => ({ status: answer.status, bytes: await answer.bytes() })),
  )
  if (!found) return
  const { status, bytes } = found
  const expected = { there: [200], absent: [404], unknown: [200, 404] }[state.is]
  if (!expected.includes(status)) throw new Error(`${name} is ${JSON.stringify(state)}, but was answered ${status}`)
  if (status === 404 || state.is === 'absent') {
    ledger.files.set(name, { is: 'absent' })
    return
  }
  expect({ name, size: bytes.byteLength }).toEqual({ name, size: sizeOf(state.content) })
  expect({ name, sha256: sha256Of(bytes) }).toEqual({ name, sha256: sha256Of(bytesOf(state.content)) })
  if (state.is === 'unknown') ledger.counts.unansweredDone += 1
  ledger.files.set(name, { is: 'there', content: state.content })
}

/** Publishes, deletes, reads and probes until the server dies under it. */
async function work(ledger: Ledger, server: ServerProcess, random: Seeded, dead: Dead): Promise<void> {
  while (!dead()) {
    const name = `${random.below(25)}/${random.below(40)}`
    if (!ledger.take(name)) continue
    try {
      const known = ledger.files.get(name)?.is ?? 'absent'
      const [content, dice] = [random.below(contents), random.next()]
      if (dice < 0.03) await answered(dead, fetch(`${server.url}/readyz`))
      else if (known === 'unknown' || dice < 0.1) await check(ledger, server.admin, name, dead)
      else if (known === 'there' && dice < 0.95) await remove(ledger, server.admin, name, dead)
      else await publish(ledger, server.admin, name, content, dead)
    } finally {
      ledger.free(name)
    }
  }
}

/** What the database itself can say: no damage, no dangling reference, nothing empty. */
function examineDatabase(dataDir: string): void {
  const database = new Database(join(dataDir, 'stowage.db'))
  try {
    expect(database.query('pragma integrity_check').values()).toEqual([['ok']])
    expect(database.query('pragma foreign_key_check').values()).toEqual([])
    expect(database.query('select id from versions where id not in (select version_id from files)').values()).toEqual(
      [],
    )
    expect(
      database.query('select id from packages where id not in (select package_id from versions)').values(),
    ).toEqual([])
    expect(database.query('select id from blobs where id not in (select blob_id from files)').values()).toEqual([])
  } finally {
    database.close()
  }
}

/** The digests that jobs compute, once no job is left, beside those of the bytes that were sent. */
async function expectDigests(dataDir: string): Promise<void> {
  const database = new Database(join(dataDir, 'stowage.db'), { readonly: true })
  try {
    database.run('pragma busy_timeout = 5000')
    const jobs = () => database.query("select id from jobs where kind = 'digests'").values().length
    await until(() => jobs() === 0, 'every digest is computed', 60_000)
    const expected = new Map(
      Array.from({ length: contents }, (_, content) => {
        const bytes = bytesOf(content)
        const digest = (name: 'md5' | 'sha1' | 'sha512') => new Bun.CryptoHasher(name).update(bytes).digest('hex')
        return [sha256Of(bytes), { md5: digest('md5'), sha1: digest('sha1'), sha512: digest('sha512') }] as const
      }),
    )
    const rows = database.query('select sha256, md5, sha1, sha512 from blobs').all() as Record<string, string>[]
    for (const { sha256 = '', ...others } of rows) expect(others).toEqual(expected.get(sha256) ?? {})
  } finally {
    database.close()
  }
}

test(`killed ${kills} times and more, the server keeps every 201 and every 204`, async () => {
  console.log(`kills: seed ${seed}`)
  const random = new Seeded(seed)
  const ledger = new Ledger(random)
  await using folder = await temporaryFolder()

  for (let life = 0; life < kills; life += 1) {
    const startKill = life % 8 === 7 ? random.below(400) : undefined
    if (startKill !== undefined) await ServerProcess.killedWhileStarting(folder.path, startKill, settings)
    if (life > 0 && life % 10 === 0) examineDatabase(folder.path)
    await using server = await ServerProcess.start(folder.path, settings)
    // What nobody answered is settled first: from now on it has to stay as it is found.
    for (const name of ledger.some('unknown', Number.POSITIVE_INFINITY)) await check(ledger, server.admin, name)
    for (const name of [...ledger.some('there', 6), ...ledger.some('absent', 6)])
      await check(ledger, server.admin, name)

    let over = false
    const working = Array.from({ length: clients }, () =>
      work(ledger, server, new Seeded(random.below(1e9)), () => over),
    )
    const failed = Promise.all(working)
    // Most die amid the first requests; every sixth lives until its regular sweep is due.
    const lifetime = life % 6 === 5 ? 950 + random.below(200) : random.below(250)
    await Promise.race([Bun.sleep(lifetime), failed])
    over = true
    await server.kill()
    await failed
  }

  examineDatabase(folder.path)
  {
    await using server = await ServerProcess.start(folder.path, settings)
    for (const name of ledger.files.keys()) await check(ledger, server.admin, name)
    await expectDigests(folder.path)
    const there = [...ledger.files].filter(([, state]) => state.is === 'there').map(([name]) => name)
    console.log(`kills: ${JSON.stringify({ ...ledger.counts, there: there.length, addresses: ledger.files.size })}`)
    expect(ledger.counts.put).toBeGreaterThan(kills * 5)
    expect(ledger.counts.unanswered).toBeGreaterThan(kills)
    for (const name of there) expect((await server.admin.delete(addressOf(name))).status).toBe(204)
    for (const name of ledger.files.keys()) expect((await server.admin.get(addressOf(name))).status).toBe(404)
    await server.kill()
  }
  {
    await using server = await ServerProcess.start(folder.path, settings)
    await until(async () => (await blobFiles(folder.path)).size === 0, 'no byte is left', 30_000).catch(
      async (error) => {
        throw new Error(`${error}: ${JSON.stringify([...(await blobFiles(folder.path))])}`)
      },
    )
    for (const name of ledger.files.keys()) expect((await server.admin.get(addressOf(name))).status).toBe(404)
    expect(await server.stop()).toBe(0)
  }
  examineDatabase(folder.path)
}, 280_000)
