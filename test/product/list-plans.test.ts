import { afterAll, beforeAll, expect, test } from 'bun:test'
import {
  type Databases,
  type FilledCatalogue,
  postgresDatabases,
  sqliteDatabases,
} from '../../bench/catalogue/databases.ts'
import { listOperationsOn } from '../../bench/catalogue/list-operations.ts'
import type { KnownVersions } from '../../bench/catalogue/many-versions.ts'
import { anonymous, type Caller } from '../../server/access/caller.ts'
import { grantToShow } from '../../server/access/grant.ts'
import { grantToSearch } from '../../server/access/viewers.ts'
import { newestFirst, sortKeys } from '../../server/catalogue/listings.ts'
import { Turns } from '../../server/lib/turns.ts'
import { listOwner } from '../../server/registry/lists.ts'
import type { RegistryParts } from '../../server/registry/parts.ts'
import { findPackages } from '../../server/registry/search.ts'
import { listUsage } from '../../server/registry/usage.ts'
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

test('where packages are private, and name some people, no list looks at all of anything', async () => {
  const { ownerId, parts: texts } = catalogue.known
  await catalogue.execute(`update packages set visibility = 'private' where id % 10 = 0 and owner_id = ${ownerId}`)
  await catalogue.execute(`insert into package_grants (owner_id, package_id, user_id, access, created_at)
    select owner_id, id, 7, 1, 0 from packages where id % 50 = 0 and owner_id = ${ownerId}`)
  const plans = new Plans(catalogue.execute)
  const parts = {
    catalogue: catalogue.open(plans.around),
    searches: new Turns({ atOnce: 1, line: 0, patience: 0 }),
  } as unknown as RegistryParts
  const owner = { id: ownerId, kind: 'user', name: 'person-1', membership: 'none', isNamed: true } as const
  const named: Caller = {
    kind: 'user',
    account: { id: 7, name: 'person-7', isAdmin: false, isRestricted: false, mustChangePassword: false },
    credential: { kind: 'proxy' },
    address: '127.0.0.1',
  }
  const readers: [string, Caller, 'public' | 'private'][] = [
    ['anybody', anonymous, 'public'],
    ['somebody who is named', named, 'public'],
    ['somebody who is named at a private owner', named, 'private'],
  ]
  const hidden = (await catalogue.execute(`select count(*) as total from packages where visibility = 'private'`))[0]
  const someNamed = (await catalogue.execute('select count(*) as total from package_grants'))[0]
  const totals: Record<string, number | undefined> = {}
  for (const [reader, caller, visibility] of readers) {
    await catalogue.execute(`update owners set visibility = '${visibility}' where id = ${ownerId}`)
    const grant = grantToShow(caller, { ...owner, visibility })
    const search = grantToSearch(caller)
    const window = { offset: 60, limit: 30 }
    const work: Record<string, () => Promise<{ total?: number | undefined }>> = {
      ...Object.fromEntries(
        sortKeys.map((by) => [`list by ${by}`, () => listOwner(parts, grant, '', window, { by, descending: true })]),
      ),
      'list of a part': () => listOwner(parts, grant, texts.frequent, window),
      packages: () => findPackages(parts, grant, '', window, newestFirst),
      'packages of all': () => findPackages(parts, search, '', window, newestFirst),
      'packages of a part': () => findPackages(parts, search, texts.frequent, window, newestFirst),
      'usage by size': () => listUsage(parts, grant, 'size', window),
      'usage by name': () => listUsage(parts, grant, 'name', window),
    }
    for (const [name, run] of Object.entries(work)) {
      let total: number | undefined
      const statements = await plans.of(async () => {
        total = (await run()).total
      })
      // As many as are counted are sorted; and what is named is gathered first where nothing else is seen. There are no teams.
      const expected = onPostgres ? /^sorts|^reads an index of (package|listings|teams)/ : /TEMP B-TREE/
      const flaws = statements.flatMap(({ flaws }) => flaws).filter((flaw) => !expected.test(flaw))
      expect([reader, name, flaws]).toEqual([reader, name, []])
      if (name === 'usage by name') totals[reader] = total
    }
  }
  const { packages } = catalogue.known
  const [ofHidden, ofNamed] = [Number(hidden?.total), Number(someNamed?.total)]
  expect(totals).toEqual({
    anybody: packages - ofHidden,
    'somebody who is named': packages - ofHidden + ofNamed,
    'somebody who is named at a private owner': ofNamed,
  })
})
