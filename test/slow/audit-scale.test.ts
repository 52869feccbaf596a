import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import { onPostgres } from '../support/database.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

const events = 300_000
/** Milliseconds that a page may take, on a machine that does much else: it takes a tenth of this. */
const patience = 4_000
const begin = Date.UTC(2026, 0, 1)
const at = (share: number) => new Date(begin + Math.floor(events * share) * 1_000).toISOString()

let stowage: TestStowage
const ids: Record<string, number> = {}
/** Statements that were sent since somebody looked. */
let sent: string[] = []
const around: AroundStatement = (sql, run) => {
  if (/^select\b.*audit_events/s.test(sql)) sent.push(sql)
  return run(sql)
}

beforeAll(async () => {
  stowage = await startStowage({ replace: { aroundStatement: around } })
  for (const name of ['acme', 'other', 'ci', 'eve', 'rare']) {
    await stowage.user(name)
    const user = await stowage.admin.fetch(`/api/v1/users/${name}`)
    ids[name] = ((await user.json()) as { id: number }).id
  }
  const numbers = onPostgres
    ? `select n from generate_series(1, ${events}) as n`
    : `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${events}) select n from numbers`
  const { acme, other, ci, eve, rare } = ids
  // CI publishes at acme, and Eve elsewhere, both so much that neither is a way to find where both meet, which is nowhere.
  await stowage.change(`
    insert into audit_events (created_at, action, actor_id, actor_name, credential, token_last_eight, address,
      owner_id, owner_name, package_name, package_key, details)
    select ${begin} + n * 1000,
      case when n % 10000 = 0 then 'package.deleted' when n % 10 = 0 then 'file.deleted' else 'file.published' end,
      case when n % 100000 = 0 then ${rare} when n % 4 = 0 then ${eve} else ${ci} end, 'somebody',
      case when n % 50000 = 0 then 'operator' else 'token' end, case when n % 70000 = 0 then '0123abcd' else 'ffffffff' end,
      '192.0.2.1', case when n % 4 = 0 then ${other} else ${acme} end, 'somewhere',
      'package-' || (n % 20), 'package-' || (n % 20), '{"size":1,"sha256":"${'0'.repeat(64)}"}'
    from (${numbers}) as numbers`)
  if (onPostgres) await stowage.change('analyze audit_events')
}, 600_000)
afterAll(() => stowage[Symbol.asyncDispose]())

/** Each filter with some values, or not there. */
const choices: Record<string, (string | undefined)[]> = {
  owner: [undefined, 'acme'],
  package: [undefined, 'package-3'],
  actor: [undefined, 'ci', 'eve', 'rare'],
  action: [undefined, 'package.deleted', 'file.'],
  credential: [undefined, 'operator'],
  token_last_eight: [undefined, '0123abcd'],
  time: [undefined, 'some'],
}

type Wanted = Record<string, string>

function combinations(): Wanted[] {
  let all: Wanted[] = [{}]
  for (const [name, values] of Object.entries(choices)) {
    all = all.flatMap((wanted) => values.map((value) => (value === undefined ? wanted : { ...wanted, [name]: value })))
  }
  // A package is asked for at its owner.
  return all.filter(({ owner, package: its }) => its === undefined || owner !== undefined)
}

const times: Record<string, [string, string]> = { some: [at(0.5), at(0.51)], much: [at(0.1), at(0.9)] }

function queryOf({ time, ...wanted }: Wanted): string {
  const [since, until] = times[time ?? ''] ?? []
  return new URLSearchParams({ ...wanted, ...(since && until ? { since, until } : {}) }).toString()
}

/** The same, asked in the plainest way. */
function plainSql({ time, owner, actor, action, package: its, ...others }: Wanted): string {
  const [since, until] = times[time ?? ''] ?? []
  const wheres = [
    ...(owner ? [`owner_id = ${ids[owner]}`] : []),
    ...(its ? [`package_key = '${its}'`] : []),
    ...(actor ? [`actor_id = ${ids[actor]}`] : []),
    ...(action ? [action.endsWith('.') ? `action like '${action}%'` : `action = '${action}'`] : []),
    ...Object.entries(others).map(([column, value]) => `${column} = '${value}'`),
    ...(since && until ? [`created_at >= ${Date.parse(since)}`, `created_at < ${Date.parse(until)}`] : []),
  ]
  return `select id from audit_events where ${wheres.join(' and ') || '1 = 1'} order by created_at desc, id desc limit 30`
}

interface Node {
  'Node Type': string
  'Index Cond'?: string
  Plans?: Node[]
}

/** Whether anything reads the whole log: no index, or one from its beginning to its end. */
function readsAll(node: Node, isLimited = false): boolean {
  const { 'Node Type': type, 'Index Cond': condition, Plans: below = [] } = node
  if (type === 'Seq Scan' || type === 'Parallel Seq Scan') return true
  if (/^Index.* Scan$/.test(type) && !condition && !isLimited) return true
  return below.some((child) => readsAll(child, isLimited || type === 'Limit'))
}

/** Without the values of a prepared statement there is no plan, so they are put in where the plan does not depend on them. */
async function isFlawed(sql: string): Promise<boolean> {
  if (!onPostgres) {
    const lines = await stowage.change(`explain query plan ${sql}`)
    return lines.some(({ detail }) => /^SCAN audit_events$/.test(String(detail)))
  }
  const [row] = (await stowage.change(`explain (generic_plan, format json) ${sql}`)) as {
    'QUERY PLAN': { Plan: Node }[]
  }[]
  return readsAll(row?.['QUERY PLAN'][0]?.Plan as Node)
}

describe(`with ${events} events`, () => {
  test('every combination of filters is answered at once and rightly, or refused because it is too wide', async () => {
    const wrong: unknown[] = []
    let refused = 0
    let slowest = 0
    await stowage.admin.fetch('/api/v1/user')
    const statements = new Set<string>()
    for (const wanted of combinations()) {
      sent = []
      const began = performance.now()
      const response = await stowage.admin.fetch(`/api/v1/admin/audit?${queryOf(wanted)}`)
      const body = (await response.json()) as { id: number }[]
      const took = performance.now() - began
      for (const sql of sent) statements.add(sql)
      slowest = Math.max(slowest, took)
      if (took > patience) wrong.push({ wanted, took })
      if (response.status === 422) refused += 1
      else if (Object.keys(wanted).length <= 2) {
        const plain = await stowage.change(plainSql(wanted))
        const [found, right] = [body.map(({ id }) => id), plain.map(({ id }) => Number(id))]
        // The newest are the sign-ins of those who look.
        if (Object.keys(wanted).length > 0 && !Bun.deepEquals(found, right)) wrong.push({ wanted, found, right })
      }
    }
    console.info(
      `${combinations().length} combinations, ${refused} refused, the slowest took ${Math.round(slowest)} ms`,
    )
    expect(wrong).toEqual([])
    expect(refused).toBeGreaterThan(0)
    const flawed = []
    for (const sql of statements) if (await isFlawed(sql)) flawed.push(sql)
    expect(flawed).toEqual([])
  }, 600_000)

  test.each([
    '',
    'owner=acme&',
    'owner=acme&package=package-3&',
    'actor=ci&',
    'action=file.&',
    'action=file.published&',
  ])('the last page of %s too', async (query) => {
    const began = performance.now()
    const response = await stowage.admin.fetch(`/api/v1/admin/audit?${query}page=200&limit=50`)
    expect([response.status, ((await response.json()) as unknown[]).length]).toEqual([200, 50])
    expect(response.headers.get('x-total-count')).toBeNull()
    expect(performance.now() - began).toBeLessThan(patience)
  })

  test('too wide a question is refused, and answered for a shorter time', async () => {
    const ask = (query: string) => stowage.admin.fetch(`/api/v1/admin/audit?owner=acme&actor=eve&${query}`)
    expect((await ask('')).status).toBe(422)
    const some = await ask(`since=${at(0.5)}&until=${at(0.51)}`)
    expect([some.status, await some.json(), some.headers.get('x-total-count')]).toEqual([200, [], '0'])
  })
})
