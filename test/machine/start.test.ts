import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { onPostgres } from '../support/database.ts'
import { Plans } from '../support/plans.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { startStowage } from '../support/stowage.ts'

/** The statements of a start in this data directory; then publishes as many files. */
async function statementsOfStart(dataDir: string, files: number): Promise<string[]> {
  const seen: string[] = []
  let begun = false
  const stowage = await startStowage({
    dataDir,
    replace: {
      aroundStatement: (sql, run) => {
        if (!begun) seen.push(sql)
        return run(sql)
      },
    },
  })
  begun = true
  for (let index = 0; index < files; index += 1) await stowage.admin.put({ version: `1.${index}` }, `bytes ${index}`)
  await stowage[Symbol.asyncDispose]()
  return seen
}

test('a start asks the database the same, however much is in it', async () => {
  await using folder = await temporaryFolder()
  await statementsOfStart(folder.path, 1)
  const little = await statementsOfStart(folder.path, 10)
  const more = await statementsOfStart(folder.path, 0)
  expect(little.length).toBeGreaterThan(3)
  expect(more).toEqual(little)
})

test.skipIf(onPostgres)('no statement of a start reads a table from end to end', async () => {
  await using folder = await temporaryFolder()
  await statementsOfStart(folder.path, 1)
  using database = new Database(join(folder.path, 'stowage.db'), { readonly: true })
  const plans = new Plans(async (sql) => database.query<Record<string, unknown>, []>(sql).all())
  const planned = await plans.of(async () => {
    await using _ = await startStowage({ dataDir: folder.path, replace: { aroundStatement: plans.around } })
  })
  expect(planned.length).toBeGreaterThan(3)
  // The first row that comes says that a table is not empty.
  const others = planned.filter(({ sql }) => !/^select "\w+" from "\w+" limit \+?\?$/.test(sql))
  expect(others.filter(({ flaws }) => flaws.length > 0)).toEqual([])
})
