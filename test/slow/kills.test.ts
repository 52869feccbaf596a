import { expect, test } from 'bun:test'
import { behindItsBack, onPostgres } from '../support/database.ts'
import { blobFiles } from '../support/inventory.ts'
import { addressOf, bytesOf, contents, disorder, Ledger, type MayBeSilent } from '../support/ledger.ts'
import { Seeded, sha256Of } from '../support/seeded.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const seed = Number(process.env.KILLS_SEED ?? 20_260_730)
/** Fewer where each life takes longer to begin, and database-faults.test.ts breaks the rest. */
const kills = onPostgres ? 50 : 80
const clients = 8
/** Publishes that a life is good for, taken over all lives. */
const putsEach = 5
const settings = { STOWAGE_BLOB_GRACE: '0' }

/** Publishes, deletes, reads and probes until the server dies under it. */
async function work(ledger: Ledger, server: ServerProcess, random: Seeded, dead: MayBeSilent): Promise<void> {
  while (!dead()) {
    const name = `${random.below(25)}/${random.below(40)}`
    if (!ledger.take(name)) continue
    try {
      const { is } = ledger.state(name)
      const [content, dice] = [random.below(contents), random.next()]
      if (dice < 0.03) await probe(server, dead)
      else if (is === 'unknown' || dice < 0.1) await ledger.look(server.admin, name, dead)
      else if (is === 'there' && dice < 0.95) await ledger.remove(server.admin, name, dead)
      else await ledger.publish(server.admin, name, content, dead)
    } finally {
      ledger.free(name)
    }
  }
}

async function probe(server: ServerProcess, dead: MayBeSilent): Promise<void> {
  await fetch(`${server.url}/readyz`).catch((error) => {
    if (!dead()) throw error
  })
}

/** What the database itself can say: no damage, no dangling reference, nothing empty. */
async function examineDatabase(dataDir: string): Promise<void> {
  if (!onPostgres) {
    expect(await behindItsBack(dataDir, 'pragma integrity_check')).toEqual([{ integrity_check: 'ok' }])
    expect(await behindItsBack(dataDir, 'pragma foreign_key_check')).toEqual([])
  }
  expect(await behindItsBack(dataDir, disorder)).toEqual([])
}

/** The digests that jobs compute, once no job is left, beside those of the bytes that were sent. */
async function expectDigests(dataDir: string): Promise<void> {
  const jobs = () => behindItsBack(dataDir, "select id from jobs where kind = 'digests'")
  await until(async () => (await jobs()).length === 0, 'every digest is computed', 60_000)
  const expected = new Map(
    Array.from({ length: contents }, (_, content) => {
      const bytes = bytesOf(content)
      const digest = (name: 'md5' | 'sha1' | 'sha512') => new Bun.CryptoHasher(name).update(bytes).digest('hex')
      return [sha256Of(bytes), { md5: digest('md5'), sha1: digest('sha1'), sha512: digest('sha512') }] as const
    }),
  )
  const rows = await behindItsBack(dataDir, 'select sha256, md5, sha1, sha512 from blobs')
  for (const { sha256, ...others } of rows) expect(others).toEqual(expected.get(String(sha256)) ?? {})
}

test(`killed ${kills} times and more, the server keeps every 201 and every 204`, async () => {
  console.log(`kills: seed ${seed}`)
  const random = new Seeded(seed)
  const ledger = new Ledger(random, { mayBeUnavailable: false })
  await using folder = await temporaryFolder()

  for (let life = 0; life < kills; life += 1) {
    const startKill = life % 8 === 7 ? random.below(400) : undefined
    if (startKill !== undefined) await ServerProcess.killedWhileStarting(folder.path, startKill, settings)
    if (life > 0 && life % 10 === 0) await examineDatabase(folder.path)
    await using server = await ServerProcess.start(folder.path, settings)
    // What nobody answered is settled first: from now on it has to stay as it is found.
    for (const name of ledger.all('unknown')) await ledger.settle(server.admin, name)
    for (const name of [...ledger.some('there', 6), ...ledger.some('absent', 6)]) await ledger.look(server.admin, name)

    let over = false
    const working = Array.from({ length: clients }, () =>
      work(ledger, server, new Seeded(random.below(1e9)), () => over),
    )
    const failed = Promise.all(working)
    // Most die amid the first requests; every sixth lives until its regular sweep is due.
    const lifetime = life % 6 === 5 ? 950 + random.below(200) : random.below(250)
    await Promise.race([Bun.sleep(lifetime), failed])
    // A loaded machine does little in that time, so what is done is counted too.
    const keepsPace = until(() => ledger.counts.put > (life + 1) * putsEach, 'enough is published', 60_000)
    await Promise.race([keepsPace, failed])
    over = true
    await server.kill()
    await failed
  }

  await examineDatabase(folder.path)
  {
    await using server = await ServerProcess.start(folder.path, settings)
    for (const name of ledger.files.keys()) await ledger.settle(server.admin, name)
    await expectDigests(folder.path)
    const there = ledger.all('there')
    console.log(`kills: ${JSON.stringify({ ...ledger.counts, there: there.length, addresses: ledger.files.size })}`)
    expect(ledger.counts.put).toBeGreaterThan(kills * putsEach)
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
  await examineDatabase(folder.path)
}, 600_000)
