import { afterAll, beforeAll, expect, test } from 'bun:test'
import {
  type Databases,
  type FilledCatalogue,
  postgresDatabases,
  sqliteDatabases,
} from '../../bench/catalogue/databases.ts'
import { listOperationsOn } from '../../bench/catalogue/list-operations.ts'
import type { KnownVersions } from '../../bench/catalogue/many-versions.ts'
import { freshDatabase, onPostgres } from '../support/database.ts'
import { type Planned, Plans } from '../support/plans.ts'

/** More than are counted. */
const versions = 12_000

let databases: Databases
let catalogue: FilledCatalogue<KnownVersions>
let planned: Map<string, { statements: Planned[]; total: number | undefined }>

beforeAll(async () => {
  databases = onPostgres ? await postgresDatabases(await freshDatabase()) : await sqliteDatabases()
  catalogue = await databases.fillVersions(versions)
  // With few rows PostgreSQL takes whole tables because that is the cheapest; what is asked is whether there is another way.
  for (const way of onPostgres ? ['seqscan', 'hashjoin', 'mergejoin'] : []) {
    await catalogue.execute(`do $$ begin
      execute format('alter database %I set enable_${way} = off', current_database());
    end $$`)
  }
  const plans = new Plans(catalogue.execute)
  planned = new Map()
  for (const { name, run } of listOperationsOn(catalogue.open(plans.around), catalogue.known)) {
    let total: number | undefined
    const statements = await plans.of(async () => {
      const answer = (await run(0)) as { total?: number }
      total = answer.total
    })
    planned.set(name, { statements, total })
  }
}, 120_000)
afterAll(async () => {
  await catalogue?.[Symbol.asyncDispose]()
  await databases?.[Symbol.asyncDispose]()
})

const lists = () => [...planned].filter(([name]) => /^(owner|package)(, with figures, by size)?:/.test(name))

test('a page of a list is a stretch of an index, however deep, and what is shown is looked up by key', () => {
  expect(lists().length).toBeGreaterThan(10)
  for (const [name, { statements }] of lists()) {
    expect([name, statements.flatMap(({ flaws }) => flaws)]).toEqual([name, []])
    const stretches = statements.filter(({ sql }) => / offset /.test(sql)).map(({ covering }) => covering.join())
    expect([name, stretches]).toEqual([name, [expect.stringMatching(/^listings_(owner|package)/)]])
  }
})

test('totals of lists are kept, not counted', () => {
  for (const [name, { statements, total }] of lists()) {
    // What a few versions on a page have is counted; that is no total.
    const counts = statements.filter(({ sql }) => /count\(/i.test(sql) && !/version_id" in/.test(sql))
    expect([name, counts]).toEqual([name, []])
    if (name.startsWith('owner')) expect([name, total]).toEqual([name, versions])
  }
})

test('a search looks at no more than it must, and counts as far as 10,000', () => {
  const searches = [...planned].filter(([name]) => /, q of/.test(name))
  expect(searches.length).toBeGreaterThan(5)
  // Names are looked through in stretches, each with its limit; as many as are counted are sorted.
  // Of an owner who has all packages, PostgreSQL walks through their names whoever has them.
  const expected = onPostgres ? /^sorts|^reads an index of package/ : /TEMP B-TREE/
  for (const [name, { statements }] of searches) {
    expect([name, statements.flatMap(({ flaws }) => flaws).filter((flaw) => !expected.test(flaw))]).toEqual([name, []])
  }
  const totalOf = (name: string) => planned.get(name)?.total
  expect(totalOf('owner, q of one package')).toBe(10)
  expect(totalOf('owner, q of none')).toBe(0)
  expect(totalOf('owner, q of 6 in 10 packages')).toBe(3_600)
  expect(totalOf('owner, q of one letter')).toBeUndefined()
  expect(totalOf('everywhere, q of one package')).toBe(1)
})
