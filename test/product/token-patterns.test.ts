import { afterAll, beforeAll, expect, test } from 'bun:test'
import { array, assert, asyncProperty, constantFrom, oneof, string, uniqueArray } from 'fast-check'
import { isWithin, namePattern } from '../../server/access/package-patterns.ts'
import { type PackageViewer, type Sight, seen, seenBy } from '../../server/catalogue/sight.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * What a token is limited to is decided twice: by a function, of the one package that an address names, and by the database, of the
 * packages in lists. Both must say the same of every pattern and every name.
 */
let stowage: TestStowage
let ownerId = 0
beforeAll(async () => {
  stowage = await startStowage()
  await stowage.user('ada')
  ownerId = Number((await stowage.change("select id from owners where name = 'ada'"))[0]?.id)
})
afterAll(() => stowage[Symbol.asyncDispose]())

const sign = constantFrom('a', 'b', '_', '.', '+', '-', '1')
const key = string({ unit: sign, minLength: 1, maxLength: 8 })
const pattern = string({ unit: oneof({ weight: 3, arbitrary: sign }, constantFrom('*')), minLength: 1, maxLength: 8 })

const nobody: Sight = { unnamed: 'all', userId: null, deployTokenId: null, names: null }
const admin: PackageViewer = {
  ...{ seesAll: true, visibilities: ['public', 'limited', 'private'], memberId: null },
  ...{ userId: null, deployTokenId: null, holder: null, limit: null },
}
const columns = { ownerId: 'packages.owner_id', packageId: 'packages.id', key: 'packages.name_key' }

test('lists show what a token reads, whatever its patterns are', async () => {
  const { read } = stowage.stowage.registry.catalogue
  await assert(
    asyncProperty(
      uniqueArray(key, { minLength: 1, maxLength: 12 }),
      array(pattern, { maxLength: 4 }),
      async (keys, texts) => {
        await stowage.change('delete from packages')
        const rows = keys.map((name) => `(${ownerId}, '${name}', '${name}', 0)`).join(', ')
        await stowage.change(`insert into packages (owner_id, name, name_key, created_at) values ${rows}`)
        const names = texts.map((text) => namePattern(text) ?? '')
        const limit = names.map((name, at) => ({ ownerId: [null, ownerId, ownerId + 1][at % 3] ?? null, name }))
        const listed = async (condition: ReturnType<typeof seen>) => {
          const query = read.selectFrom('packages').select('name_key')
          const found = await (condition ? query.where(condition) : query).execute()
          return found.map(({ name_key }) => name_key).sort()
        }
        const its = limit.filter((one) => one.ownerId !== ownerId + 1).map(({ name }) => name)
        const expected = keys.filter((one) => isWithin(limit, { ownerId, key: one })).sort()
        expect(await listed(seen({ ...nobody, names: its }, columns))).toEqual(expected)
        expect(await listed(seenBy({ ...admin, limit }, columns))).toEqual(expected)
      },
    ),
    { numRuns: 150 },
  )
}, 60_000)

test('a pattern of many stars is looked for at once', async () => {
  const { read } = stowage.stowage.registry.catalogue
  await stowage.change('delete from packages')
  const name = 'a'.repeat(255)
  await stowage.change(
    `insert into packages (owner_id, name, name_key, created_at) values (${ownerId}, '${name}', '${name}', 0)`,
  )
  const names = Array.from({ length: 50 }, () => `${'*a'.repeat(127)}b`)
  const begun = performance.now()
  const condition = seen({ ...nobody, names }, columns)
  if (!condition) throw new Error('nothing limits it')
  expect(await read.selectFrom('packages').select('name_key').where(condition).execute()).toEqual([])
  expect(performance.now() - begun).toBeLessThan(5_000)
})
