import { describe, expect, test } from 'bun:test'
import { Choreography, withoutLocks, withoutNamedLocks, withoutRowLocksOn } from '../support/choreography.ts'
import { onPostgres } from '../support/database.ts'
import { blobFiles, emptyParents, rowCounts } from '../support/inventory.ts'
import { seededBytes } from '../support/seeded.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

/**
 * Each race runs twice: as it is, and with the lock taken away that decides it. The second run must go wrong in the way
 * that the lock is there for, or the first shows nothing. SQLite has one writer, so there these races cannot be run.
 */
const described = onPostgres ? describe : describe.skip

const body = seededBytes(20_000, 1)
const same = 'the same bytes'

async function start(choreography: Choreography): Promise<TestStowage> {
  return startStowage({
    settings: { STOWAGE_BLOB_GRACE: '0' },
    replace: { aroundStatement: choreography.around },
  })
}

/** Whether a transaction waits for another one's lock. */
async function someoneWaits(stowage: TestStowage): Promise<boolean> {
  const [row] = await stowage.change(`
    select count(*)::int as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`)
  return Number(row?.waiting) > 0
}

const read = (stowage: TestStowage) => stowage.stowage.registry.catalogue.read
const statuses = async (...answers: Promise<Response>[]) => (await Promise.all(answers)).map(({ status }) => status)

described('two deletes of the last two files of a version', () => {
  async function race(choreography: Choreography): Promise<string[]> {
    await using stowage = await start(choreography)
    expect(await statuses(stowage.admin.put({ file: 'a' }, 'a'))).toEqual([201])
    expect(await statuses(stowage.admin.put({ file: 'b' }, 'b'))).toEqual([201])
    const first = choreography.stopAfter(/^delete from "files"/)
    const second = choreography.stopAfter(/^delete from "files"/)
    const one = stowage.admin.delete({ file: 'a' })
    await first.arrived
    const other = stowage.admin.delete({ file: 'b' })
    await until(async () => second.hasArrived() || (await someoneWaits(stowage)), 'the second waits, or is there too')
    first.goOn()
    second.goOn()
    expect(await statuses(one, other)).toEqual([204, 204])
    return emptyParents(read(stowage))
  }

  test('leave no version behind', async () => {
    expect(await race(new Choreography())).toEqual([])
  })

  test('would leave an empty one if they did not lock it', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutLocks)
    expect(await race(choreography)).toEqual(['version 1.0'])
  })
})

described('the last file with some bytes is deleted while they are published again', () => {
  async function race(choreography: Choreography): Promise<{ undone: number }> {
    await using stowage = await start(choreography)
    expect(await statuses(stowage.admin.put({ package: 'old' }, same))).toEqual([201])
    const published = choreography.stopAfter(/^insert into "files"/)
    const put = stowage.admin.put({ package: 'new' }, same)
    await published.arrived
    const undone = choreography.undone
    const deleted = stowage.admin.delete({ package: 'old' })
    await until(() => someoneWaits(stowage), 'the delete waits for the publish')
    published.goOn()
    expect(await statuses(put, deleted)).toEqual([201, 204])
    await stowage.stowage.sweep()
    expect(await (await stowage.admin.get({ package: 'new' })).text()).toBe(same)
    expect((await blobFiles(stowage.dataDir)).size).toBe(1)
    return { undone: choreography.undone - undone }
  }

  test('the blob stays, and nobody has to start again', async () => {
    expect(await race(new Choreography())).toEqual({ undone: 0 })
  })

  test('the foreign key alone would undo a transaction that the lock lets pass', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutRowLocksOn('blobs'))
    const { undone } = await race(choreography)
    expect(undone).toBeGreaterThan(0)
  })

  test('the other way round: what is published while the blob goes has bytes of its own', async () => {
    const choreography = new Choreography()
    await using stowage = await start(choreography)
    expect(await statuses(stowage.admin.put({ package: 'old' }, same))).toEqual([201])
    const released = choreography.stopAfter(/^delete from "blobs"/)
    const deleted = stowage.admin.delete({ package: 'old' })
    await released.arrived
    const put = stowage.admin.put({ package: 'new' }, same)
    await until(() => someoneWaits(stowage), 'the publish waits for the delete')
    released.goOn()
    expect(await statuses(deleted, put)).toEqual([204, 201])
    expect(await stowage.stowage.sweep()).toMatchObject({ doomed: 1 })
    expect(await (await stowage.admin.get({ package: 'new' })).text()).toBe(same)
  })
})

described('two publishes of the first file of one version', () => {
  async function race(choreography: Choreography, files: [string, string]) {
    await using stowage = await start(choreography)
    const first = choreography.stopAfter(/^insert into "files"/)
    const one = stowage.admin.put({ file: files[0] }, 'one')
    await first.arrived
    const other = stowage.admin.put({ file: files[1] }, 'two')
    await until(() => someoneWaits(stowage), 'the second waits for the first')
    first.goOn()
    const answers = await statuses(one, other)
    await stowage.stowage.sweep()
    const { versions, files: rows } = await rowCounts(read(stowage))
    return {
      answers,
      versions,
      files: rows,
      onDisk: (await blobFiles(stowage.dataDir)).size,
      undone: choreography.undone,
    }
  }

  test('with two names: both are there, and neither had to start again', async () => {
    const { undone, ...rest } = await race(new Choreography(), ['a', 'b'])
    expect(rest).toEqual({ answers: [201, 201], versions: 1, files: 2, onDisk: 2 })
    expect(undone).toBe(0)
  })

  test('with two names, where a parent that is there aborts the transaction: it starts again, and both are there', async () => {
    const choreography = new Choreography()
    choreography.rewrite((sql) =>
      /^insert into "(packages|versions)"/.test(sql) && choreography.undone === 0
        ? sql.replace(/ on conflict .* do nothing$/, '')
        : sql,
    )
    const { undone, ...rest } = await race(choreography, ['a', 'b'])
    expect(rest).toEqual({ answers: [201, 201], versions: 1, files: 2, onDisk: 2 })
    expect(undone).toBeGreaterThan(0)
  })

  test('with one name: one is there, the other one is told so, and its bytes are gone', async () => {
    const { undone, ...rest } = await race(new Choreography(), ['a', 'A'])
    expect(rest).toEqual({ answers: [201, 409], versions: 1, files: 1, onDisk: 1 })
    expect(undone).toBe(1)
  })
})

described('a file is published into a version while its last file is deleted', () => {
  test('the version outlives it', async () => {
    const choreography = new Choreography()
    await using stowage = await start(choreography)
    expect(await statuses(stowage.admin.put({ file: 'old' }, 'old'))).toEqual([201])
    const dropped = choreography.stopAfter(/^delete from "packages"/)
    const deleted = stowage.admin.delete({ file: 'old' })
    await dropped.arrived
    const put = stowage.admin.put({ file: 'new' }, body)
    await until(() => someoneWaits(stowage), 'the publish waits for the delete')
    dropped.goOn()
    expect(await statuses(deleted, put)).toEqual([204, 201])
    expect(await emptyParents(read(stowage))).toEqual([])
    expect(Buffer.compare(await (await stowage.admin.get({ file: 'new' })).bytes(), body)).toBe(0)
  })
})

described('a version is published into a package while its only other version is deleted', () => {
  async function race(choreography: Choreography, bytes: string) {
    await using stowage = await start(choreography)
    expect(await statuses(stowage.admin.put({ version: 'old' }, same))).toEqual([201])
    const published = choreography.stopAfter(/^insert into "files"/)
    const put = stowage.admin.put({ version: 'new' }, bytes)
    await published.arrived
    const undone = choreography.undone
    const deleted = stowage.admin.deleteVersion({ version: 'old' })
    await until(() => someoneWaits(stowage), 'the delete waits for the publish')
    published.goOn()
    expect(await statuses(put, deleted)).toEqual([201, 204])
    expect(await emptyParents(read(stowage))).toEqual([])
    expect(await (await stowage.admin.get({ version: 'new' })).text()).toBe(bytes)
    return choreography.undone - undone
  }

  test.each([
    ['the same', same],
    ['other', 'other bytes'],
  ])('with %s bytes: the package stays, and nobody has to start again', async (_, bytes) => {
    expect(await race(new Choreography(), bytes)).toBe(0)
  })

  test('would be a deadlock if the delete did not begin with the package', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutRowLocksOn('packages'))
    expect(await race(choreography, 'other bytes')).toBeGreaterThan(0)
  })
})

described('a token is deleted while an upload by it commits', () => {
  async function race(choreography: Choreography) {
    await using stowage = await start(choreography)
    const token = await stowage.admin.token(['write:package'], { name: 'ci' })
    const checked = choreography.stopAfter(/^insert into "files"/)
    const put = token.put({}, body)
    await checked.arrived
    let isDeleted = false
    const deleted = stowage.admin.fetch('/api/v1/users/admin/tokens/ci', { method: 'DELETE' }).then((answer) => {
      isDeleted = true
      return answer
    })
    await until(async () => isDeleted || (await someoneWaits(stowage)), 'the delete waits, or has been answered')
    const answeredBeforeTheUpload = isDeleted
    checked.goOn()
    expect(await statuses(put, deleted)).toEqual([201, 204])
    expect(await statuses(token.put({ file: 'later' }, body))).toEqual([401])
    return answeredBeforeTheUpload
  }

  test('its deletion is answered only when no upload by it can commit any more', async () => {
    expect(await race(new Choreography())).toBe(false)
  })

  test('would be answered before, if the upload did not lock it', async () => {
    const choreography = new Choreography()
    choreography.rewrite(withoutNamedLocks)
    expect(await race(choreography)).toBe(true)
  })
})

described('two administrators who delete tokens of each other', () => {
  test('come one after the other, and neither has to start again', async () => {
    const choreography = new Choreography()
    await using stowage = await start(choreography)
    const { admin } = stowage
    const grace = await stowage.user('grace')
    await stowage.change("update users set is_admin = 1 where id = (select id from owners where name = 'grace')")
    await admin.token(['all'], { name: 'ci' })
    await grace.token(['all'], { name: 'ci' })
    const locked = choreography.stopAfter(/^select pg_advisory_xact_lock/)
    const one = admin.fetch('/api/v1/users/grace/tokens/ci', { method: 'DELETE' })
    await locked.arrived
    const other = grace.fetch('/api/v1/users/admin/tokens/ci', { method: 'DELETE' })
    await until(() => someoneWaits(stowage), 'the second waits for the first')
    locked.goOn()
    expect(await statuses(one, other)).toEqual([204, 204])
    expect(choreography.undone).toBe(0)
  })
})
