import { describe, expect, test } from 'bun:test'
import { Choreography, withoutNamedLocks } from '../support/choreography.ts'
import { onPostgres } from '../support/database.ts'
import { secondNode } from '../support/second-node.ts'
import { seededBytes } from '../support/seeded.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

/** As in `races.test.ts`: each race runs once more without the lock that decides it, and must go wrong. SQLite has one writer. */
const described = onPostgres ? describe : describe.skip

const statuses = async (...answers: Promise<Response>[]) => (await Promise.all(answers)).map(({ status }) => status)

async function limit(stowage: TestStowage, path: string, numbers: object): Promise<void> {
  const response = await stowage.admin.fetch(`/api/v1/admin/quotas${path}`, {
    method: 'PATCH',
    body: JSON.stringify(numbers),
  })
  expect(response.status).toBe(200)
}

async function someoneWaits(stowage: TestStowage): Promise<boolean> {
  const [row] = await stowage.change(`
    select count(*)::int as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`)
  return Number(row?.waiting) > 0
}

async function kept(stowage: TestStowage): Promise<{ bytes: number; versions: number; reserved: number }> {
  const [row] = await stowage.change(`
    select sum(bytes)::int as bytes, sum(versions)::int as versions,
      (select count(*)::int from reservations) as reserved from owner_counts`)
  return row as { bytes: number; versions: number; reserved: number }
}

/** Two uploads of 60 bytes, of which the second looks while the first has looked and has not taken anything yet. */
async function race(
  choreography: Choreography,
  looked: RegExp,
  prepare: (stowage: TestStowage) => Promise<[Client, Client]>,
) {
  await using stowage = await startStowage({ replace: { aroundStatement: choreography.around } })
  const [one, other] = await prepare(stowage)
  const first = choreography.stopAfter(looked)
  const second = choreography.stopAfter(looked)
  const answers = statuses(
    one.put({ version: '1' }, seededBytes(60, 1)),
    first.arrived.then(() => other.put({ version: '2' }, seededBytes(60, 2))),
  )
  await first.arrived
  await until(async () => second.hasArrived() || (await someoneWaits(stowage)), 'the second waits, or is there too')
  first.goOn()
  second.goOn()
  return { answers: (await answers).sort(), ...(await kept(stowage)) }
}

const races: [string, RegExp, (stowage: TestStowage) => Promise<[Client, Client]>][] = [
  [
    'the bytes of an owner',
    /^select\s+\(select value from site/,
    async (stowage) => {
      const ada = await stowage.user('ada')
      await limit(stowage, '/owners/ada', { bytes: 100 })
      return [ada, ada]
    },
  ],
  [
    'the versions of an owner',
    /^select\s+\(select value from site/,
    async (stowage) => {
      const ada = await stowage.user('ada')
      await limit(stowage, '/owners/ada', { versions: 1 })
      return [ada, ada]
    },
  ],
  [
    'the bytes of all owners',
    /^select sum\(versions\)/,
    async (stowage) => {
      await limit(stowage, '', { site: { bytes: 100 } })
      return [await stowage.user('ada'), await stowage.user('bob')]
    },
  ],
]

described.each(races)('two uploads at once take the last of %s', (_, looked, prepare) => {
  test('one of them is refused', async () => {
    const choreography = new Choreography()
    expect(await race(choreography, looked, prepare)).toEqual({
      answers: [201, 403],
      ...{ bytes: 60, versions: 1, reserved: 0 },
    })
  })

  test('both would pass it without the lock', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutNamedLocks)
    expect(await race(choreography, looked, prepare)).toEqual({
      answers: [201, 201],
      ...{ bytes: 120, versions: 2, reserved: 0 },
    })
  })
})

described('uploads at two nodes', () => {
  test('fill a quota together and do not pass it; what one reserved goes with it', async () => {
    await using one = await startStowage()
    await using two = await secondNode(one.dataDir)
    const ada = await one.user('ada')
    await limit(one, '/owners/ada', { bytes: 5_500, versions: 7 })
    const elsewhere = await ada.token(['all'])
    const there = (path: string, body: Uint8Array) =>
      fetch(two.url + path, {
        method: 'PUT',
        body: body as Uint8Array<ArrayBuffer>,
        headers: { Authorization: `token ${elsewhere.secret}` },
      })
    const uploads = Array.from({ length: 14 }, (_, index) => {
      const bytes = seededBytes(1000, index)
      const address = { version: `${index % 6}`, file: `${index}` }
      return index % 2 ? ada.put(address, bytes) : there(ada.path(address), bytes)
    })
    const answers = await statuses(...uploads)
    expect(answers.filter((status) => status === 201)).toHaveLength(5)
    expect(answers.filter((status) => status === 403)).toHaveLength(9)
    expect(await kept(one)).toMatchObject({ bytes: 5000, reserved: 0 })
  })
})
