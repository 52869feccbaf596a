import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  type Databases,
  type FilledCatalogue,
  postgresDatabases,
  sqliteDatabases,
} from '../../bench/catalogue/databases.ts'
import { operationsOn, searches } from '../../bench/catalogue/operations.ts'
import type { AroundStatement } from '../../server/catalogue/statement.ts'
import { onPostgres } from '../support/database.ts'

const files = 200_000
/** Rows that a statement may sort: those of a page, or the files of a version. */
const mostSorted = 50
/** Tables that stay small whatever is published. */
const small = ['leases', 'site', 'holds']

let databases: Databases
let catalogue: FilledCatalogue

beforeAll(async () => {
  databases = onPostgres ? await postgresDatabases() : await sqliteDatabases()
  catalogue = await databases.fill(files)
}, 180_000)
afterAll(async () => {
  await catalogue?.[Symbol.asyncDispose]()
  await databases?.[Symbol.asyncDispose]()
})

/** A node of a plan, as `explain (format json)` shows it. */
interface Node {
  'Node Type': string
  'Relation Name'?: string
  'Index Cond'?: string
  Filter?: string
  'Plan Rows': number
  Plans?: Node[]
}

/** What in a plan takes longer the more there is. */
function flawsIn(node: Node, isLimited = false): string[] {
  const { 'Node Type': type, 'Relation Name': table = '', 'Plan Rows': rows, Plans: below = [] } = node
  const flaws: string[] = []
  if (type === 'Seq Scan' && !small.includes(table)) flaws.push(`reads all of ${table}`)
  // Of jobs nearly all wait, so those that do are soon found.
  const isSoonOver = isLimited && (!node.Filter || table === 'jobs')
  if (/^Index.* Scan$/.test(type) && !node['Index Cond'] && !isSoonOver) flaws.push(`reads an index of ${table}`)
  if (/Sort$/.test(type) && rows > mostSorted) flaws.push(`sorts ${rows} rows`)
  const gathers = /Sort$|^Hash$|Aggregate|Materialize/.test(type)
  return [...flaws, ...below.flatMap((child) => flawsIn(child, type === 'Limit' || (isLimited && !gathers)))]
}

/** The same of SQLite's plans, which are lines of text. */
function flawsInLines(sql: string, lines: string[]): string[] {
  // An owner has a few webhooks.
  const sorts = / from "webhooks"/.test(sql) ? [] : lines.filter((line) => line.includes('TEMP B-TREE'))
  // Results of subqueries, by the names that the statements give them, and rows that stand in the statement (`2 CONSTANT ROWS`).
  const gathered = [
    'CONSTANT',
    'request',
    'caller',
    'address',
    'stretch',
    'some',
    'counted',
    'hits',
    'holders',
    'json_each',
    ...small,
  ]
  const scans = lines
    .map((line) => /^SCAN (\w+)/.exec(line)?.[1])
    .filter((name) => name && !/^\d+$/.test(name) && !gathered.includes(name))
  const isLimited = / limit \?/.test(sql) && sorts.length === 0
  return [...sorts, ...(isLimited ? [] : scans.map((name) => `reads all of ${name}`))]
}

/** Every statement of each operation, with what is wrong with its plan. */
async function flaws(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  let operation: string | undefined
  const around: AroundStatement = async (sql, run) => {
    if (operation !== undefined && /^\s*(select|insert|update|delete|with)\b/.test(sql)) {
      found.set(operation, [...(found.get(operation) ?? []), ...(await flawsOf(sql, run))])
    }
    return run(sql)
  }
  for (const { name, run } of await operationsOn(catalogue.open(around), catalogue.known)) {
    found.set(name, [])
    operation = name
    await run(0)
    operation = undefined
  }
  return found
}

async function flawsOf(sql: string, run: (sql: string) => unknown): Promise<string[]> {
  if (onPostgres) {
    const { rows } = (await run(`explain (format json) ${sql}`)) as { rows: { 'QUERY PLAN': { Plan: Node }[] }[] }
    return rows.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan }) => flawsIn(Plan)))
  }
  const lines = await catalogue.execute(`explain query plan ${sql}`)
  return flawsInLines(
    sql,
    lines.map(({ detail }) => String(detail)),
  )
}

const ofSearches = Object.values(searches)

describe(`with ${files} files`, () => {
  test('no statement reads a table or an index from end to end, or sorts more than a page', async () => {
    const found = await flaws()
    expect(found.size).toBeGreaterThan(20)
    const others = [...found].filter(([name, flawed]) => flawed.length > 0 && !ofSearches.includes(name))
    expect(others).toEqual([])
    // These look through names, of which as many are counted as are not too much, and sort those. The people of a page are looked
    // up one by one by PostgreSQL only where there are more than these few thousand.
    const expected = /^reads (all|an index) of (package|owners|users|organisations)|^sorts|TEMP B-TREE/
    for (const name of ofSearches) {
      const beyond = found.get(name)?.filter((flaw) => !expected.test(flaw))
      expect([name, beyond]).toEqual([name, []])
    }
  }, 60_000)

  test.each([
    ['listings_owner', 'versions of an owner'],
    ['listings_package', 'versions of a package'],
    ['tokens_user', 'tokens of a user'],
    ['files_blob', 'delete: one file of two'],
    ['listings_owner_name', 'versions of an owner, by name'],
    ['listings_owner_version', 'versions of an owner, by version'],
    ['listings_owner_size', 'versions of an owner, by size'],
    ['listings_owner_downloads', 'versions of an owner, by downloads'],
    ['package_counts_newest', searches.everything],
    ['package_counts_bytes', searches.bySize],
  ])(
    'without the index %s they would: %s',
    async (index, operation) => {
      const definition = onPostgres
        ? `select indexdef as sql from pg_indexes where indexname = '${index}'`
        : `select sql from sqlite_schema where name = '${index}'`
      const [{ sql } = { sql: '' }] = await catalogue.execute(definition)
      await catalogue.execute(`drop index ${index}`)
      try {
        expect((await flaws()).get(operation)).not.toEqual([])
      } finally {
        await catalogue.execute(String(sql))
      }
    },
    60_000,
  )
})
