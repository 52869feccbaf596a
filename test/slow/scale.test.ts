import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  type Databases,
  type FilledCatalogue,
  postgresDatabases,
  sqliteDatabases,
} from '../../bench/catalogue/databases.ts'
import { operationsOn, searches } from '../../bench/catalogue/operations.ts'
import { onPostgres } from '../support/database.ts'
import { Plans } from '../support/plans.ts'

const files = 200_000

let databases: Databases
let catalogue: FilledCatalogue

beforeAll(async () => {
  databases = onPostgres ? await postgresDatabases() : await sqliteDatabases()
  catalogue = await databases.fill(files)
}, 600_000)
afterAll(async () => {
  await catalogue?.[Symbol.asyncDispose]()
  await databases?.[Symbol.asyncDispose]()
})

/** What is wrong with the plans of each operation's statements. */
async function flaws(): Promise<Map<string, string[]>> {
  const plans = new Plans(catalogue.execute)
  const found = new Map<string, string[]>()
  for (const { name, run } of await operationsOn(catalogue.open(plans.around), catalogue.known)) {
    const planned = await plans.of(() => run(0))
    found.set(
      name,
      planned.flatMap((statement) => statement.flaws),
    )
  }
  return found
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
  }, 180_000)

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
