import { randomUUID } from 'node:crypto'
import {
  beginCopy,
  type Comparison,
  compareTable,
  completeCopy,
  copyTable,
  type GivenBack,
  giveBack,
  highestIds,
  lookAtTarget,
  migrationsOf,
  settleSource,
  sharedFacts,
  type Table,
  type Target,
  tablesToCopy,
} from './catalogue/copy.ts'
import { filesMovedAt, forgetMove, type MoveFacts, markMoved, moveFacts, rememberCopy } from './catalogue/move.ts'
import { migratePostgres, openPostgres } from './catalogue/postgres.ts'
import { migrateSqlite, openSqlite } from './catalogue/sqlite.ts'
import type { Catalogue } from './catalogue/transaction.ts'
import { version } from './compose.ts'
import type { Settings } from './config.ts'
import { lockDataDirectory } from './data-lock.ts'
import { existingFile } from './database.ts'
import { Problem } from './problems.ts'
import { storageIdFile } from './storage-id-file.ts'

/** What has just happened, for whoever watches. */
export type MoveEvent =
  | { kind: 'begun'; server: string; how: Way }
  | { kind: 'copied'; table: string; rows: number; of: number }
  | { kind: 'comparing' }
  | { kind: 'compared'; table: string; comparison: Comparison }
  | { kind: 'source marked' }
  | { kind: 'blobs handed over' }

/** `anew`: what was copied before is out of date, since the original has been used meanwhile. */
type Way = 'from the beginning' | 'resumed' | 'anew'

export type Moved = { kind: 'moved' } | { kind: 'moved before'; at: string }

interface Sides {
  source: Catalogue
  target: Catalogue
  storageId: PlaceOfFiles
}

/** Where the files are, and what that says about whose they are. */
interface PlaceOfFiles {
  called: string
  mend: string
  read(): Promise<string | undefined>
  write(id: string): Promise<unknown>
}

type Installation = Pick<Settings, 'dataDir'> & Partial<Pick<Settings, 's3'>>

/**
 * Moves the installation of a data directory from its SQLite file to a PostgreSQL database; its blobs stay where they are.
 * Can be broken off anywhere and called again.
 *
 * The copy has a `storage-id` of its own, and the blob folder, or the bucket, says whose it is. So one rename, or one PUT, hands
 * the blobs over, and at no moment do both databases serve them, whatever breaks off here, whichever release is started.
 */
export async function moveToPostgres(
  settings: Installation,
  url: string,
  tell: (event: MoveEvent) => void = () => undefined,
): Promise<Moved> {
  const file = await existingFile(settings.dataDir)
  using _ = holdDataDirectory(settings.dataDir)
  await using source = closedAtEnd(openSqlite(file))
  await using storageId = await placeOfFiles(settings, source)
  await using target = closedAtEnd(openPostgres({ url, connections: 2 }))
  const sides = { source, target, storageId }
  try {
    // Before anything is changed, also by a migration: the target may be somebody's.
    const original = await originalFacts(sides)
    const found = await lookAtTarget(target.read)
    if (isComplete(original, found)) return { kind: 'moved before', at: original.movedAt ?? '' }
    mayCopy(original, found)

    const before = await schemas(sides, found)
    await migrateSqlite(file, version)
    const { version: server } = await migratePostgres(url, version)
    const goesOn = found.storageId === original.movingTo && before === (await schemas(sides, found))
    const tables = await tablesToCopy(source.read, target.read)
    tell({ kind: 'begun', server, how: found.isEmpty ? 'from the beginning' : goesOn ? 'resumed' : 'anew' })
    const copyId = goesOn && original.movingTo ? original.movingTo : await begin(sides, original, tables)

    for (const table of tables) {
      await copyTable(source.read, target, table, (rows, of) => tell({ kind: 'copied', table: table.name, rows, of }))
    }
    tell({ kind: 'comparing' })
    await compareAll(sides, original, tables, tell)
    await handOver(sides, tables, copyId, tell)
    return { kind: 'moved' }
  } catch (error) {
    throw targetProblem(error, url, adviceFor)
  }
}

/** What an undo has just done, for whoever watches. */
export type UndoStep = 'copy marked' | 'blobs handed back'

/**
 * Makes the SQLite file of a data directory its database again, as it was when it was moved. Refuses while a server runs on
 * the copy; where that is `gone`, nobody can look. Can be broken off anywhere and called again.
 */
export async function undoMove(
  settings: Installation,
  copy: { url: string } | 'gone',
  tell: (step: UndoStep) => void = () => undefined,
): Promise<void> {
  const file = await existingFile(settings.dataDir)
  using _ = holdDataDirectory(settings.dataDir)
  await using source = closedAtEnd(openSqlite(file))
  await using storageId = await placeOfFiles(settings, source)
  const sides = { source, storageId }
  const original = await originalFacts(sides)
  if (original.movedAt === undefined) {
    throw refused('This installation was not moved, so there is nothing to undo: start the server as before.')
  }
  // First nothing starts on the copy, as nothing starts on the original yet.
  if (copy !== 'gone') await leaveCopy(copy.url, original)
  tell('copy marked')
  await takeBack(sides, original, tell)
}

async function leaveCopy(url: string, { movingTo = '' }: Original): Promise<void> {
  await using copy = closedAtEnd(openPostgres({ url, connections: 2 }))
  let left: GivenBack
  try {
    left = await copy.transact(giveBack, { storageId: movingTo, now: Date.now() })
  } catch (error) {
    throw targetProblem(error, url, wayBackAdvice)
  }
  if (left.kind === 'another database') {
    throw refused(`That database is not the one that this installation was moved to. Name that one. ${whereGone}`)
  }
  if (left.kind === 'in use') {
    const servers = left.servers === 1 ? '1 server still uses' : `${left.servers} servers still use`
    throw refused(
      `${servers} that database, or died less than two minutes ago. Stop every server, then run the command again.`,
    )
  }
}

/** Until it is disposed of no server starts there. */
export function holdDataDirectory(dataDir: string): Disposable {
  try {
    const lock = lockDataDirectory(dataDir)
    return { [Symbol.dispose]: () => lock.release() }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    throw refused(`A Stowage server is using ${dataDir}. Stop it, then run the command again.`)
  }
}

export function closedAtEnd<Opened extends { close(): Promise<void> }>(opened: Opened): Opened & AsyncDisposable {
  return Object.assign(opened, { [Symbol.asyncDispose]: () => opened.close() })
}

type Original = MoveFacts & { storageId: string }

/** The data directory, unless a bucket is named and the files there are not the original's. */
async function placeOfFiles({ dataDir, s3 }: Installation, source: Catalogue): Promise<PlaceOfFiles & AsyncDisposable> {
  const folder = storageIdFile(dataDir)
  if (!s3 || isOurs(await folder.read(), await moveFacts(source.read))) {
    return { ...folder, [Symbol.asyncDispose]: async () => undefined }
  }
  // Loaded where they are needed, since the AWS SDK comes along.
  const [{ openS3 }, { s3Reason }, { storageIdObject }] = await Promise.all([
    import('./blobs/s3-open.ts'),
    import('./blobs/s3-client.ts'),
    import('./storage-id-object.ts'),
  ])
  const { store, clients } = await openS3(s3, { patience: 0 })
  const bucket = storageIdObject(s3, clients, async (id) => id)
  // Not the database's failure.
  const failed = (error: unknown) => {
    throw refused(`${bucket.called} cannot be used (${s3Reason(error)}). Once that is mended, run the command again.`)
  }
  return {
    called: bucket.called,
    mend: bucket.mend,
    read: () => bucket.read().catch(failed),
    write: (id) => bucket.write(id).catch(failed),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

function isOurs(stored: string | undefined, { storageId, movedAt, movingTo }: MoveFacts): boolean {
  return stored !== undefined && (stored === storageId || (movedAt !== undefined && stored === movingTo))
}

/** What the original says of itself. Throws where the files are not its own. */
async function originalFacts({ source, storageId }: Pick<Sides, 'source' | 'storageId'>): Promise<Original> {
  const facts = await moveFacts(source.read)
  if (facts.storageId === undefined) throw refused('There is nothing in this data directory yet that could be moved.')
  if (isOurs(await storageId.read(), facts)) return { ...facts, storageId: facts.storageId }
  const moved = await filesMovedAt(source.read)
  throw refused(
    moved === undefined
      ? `${storageId.called} is empty or not the one that this database belongs to. ${storageId.mend}, or restore both together.`
      : `The files of this installation were moved to an S3 bucket at ${moved}, and ${uncapitalised(storageId.called)} is not that one. Set STOWAGE_S3_BUCKET, and what else belongs to that bucket.`,
  )
}

function isComplete(original: Original, found: Target): boolean {
  const isItsCopy = original.movedAt !== undefined && found.storageId === original.movingTo
  return isItsCopy && found.movingFrom === undefined && found.givenBackAt === undefined
}

function mayCopy(original: Original, found: Target): void {
  if (original.movedAt !== undefined && found.storageId !== original.movingTo) {
    throw refused(
      `This installation was moved at ${original.movedAt}, to another database than this one. To go back first, run stowage migrate --undo.`,
    )
  }
  if (original.movedAt !== undefined && found.givenBackAt !== undefined) {
    throw refused('The way back from that database to SQLite is not complete. Run stowage migrate --undo again.')
  }
  if (found.isEmpty || found.movingFrom === original.storageId) return
  throw refused(
    found.movingFrom === undefined
      ? 'That database holds a Stowage installation already, and nothing in it was changed. Name an empty one.'
      : 'That database holds the copy of another installation that is not complete, and nothing in it was changed. Name an empty one.',
  )
}

/** What both were migrated to: where that changes, rows that were copied may have, too. */
async function schemas({ source, target }: Sides, found: Target): Promise<string> {
  return found.isEmpty ? '' : JSON.stringify([await migrationsOf(source.read), await migrationsOf(target.read)])
}

async function begin({ source, target, storageId }: Sides, original: Original, tables: Table[]): Promise<string> {
  // Where rows that had been compared came to be out of date: the original is in use again before its copy is emptied.
  if (original.movedAt !== undefined) await takeBack({ source, storageId }, original)
  const copyId = randomUUID()
  await source.transact(settleSource, { now: Date.now() })
  const facts = await sharedFacts(source.read)
  const begun = await target.transact(beginCopy, { from: original.storageId, storageId: copyId, tables, facts })
  if (!begun) throw refused('A server was started on that database at this moment. Name an empty one.')
  await source.transact(rememberCopy, { storageId: copyId })
  return copyId
}

async function compareAll(
  sides: Sides,
  original: Original,
  tables: readonly Table[],
  tell: (event: MoveEvent) => void,
): Promise<void> {
  const { source, target } = sides
  const different: string[] = []
  for (const table of tables) {
    const comparison = await compareTable(source.read, target.read, table)
    tell({ kind: 'compared', table: table.name, comparison })
    if (comparison.differsAt !== undefined) different.push(`${table.name} (from ${comparison.differsAt})`)
  }
  const facts = await Promise.all([sharedFacts(source.read), sharedFacts(target.read)])
  if (!Bun.deepEquals(...facts)) different.push('site')
  if (different.length === 0) return
  // Nothing that was copied is trusted any more.
  await takeBack(sides, original)
  throw refused(
    `The copy is not the same as the original in ${different.join(', ')}. Nothing was moved: SQLite is in use as before. To empty that database and copy anew, run the command again.`,
  )
}

/** In this order: first nothing starts on the original, then the blobs are the copy's, and only then it may be used. */
async function handOver(
  { source, target, storageId }: Sides,
  tables: readonly Table[],
  copyId: string,
  tell: (event: MoveEvent) => void,
): Promise<void> {
  if (!(await source.transact(markMoved, { storageId: copyId, now: Date.now() }))) {
    throw refused('Another command has changed something meanwhile. Run this one again: it copies anew.')
  }
  tell({ kind: 'source marked' })
  await storageId.write(copyId)
  tell({ kind: 'blobs handed over' })
  const migrations = await migrationsOf(source.read)
  await target.transact(completeCopy, { tables, ids: await highestIds(source.read), migrations })
}

/**
 * For a copy that nobody may use, since it is not complete or says that it was given back. In this order: before the original
 * is in use again, the blobs are its own, so that no release starts on the copy.
 */
async function takeBack(
  { source, storageId }: Pick<Sides, 'source' | 'storageId'>,
  original: Original,
  tell: (step: UndoStep) => void = () => undefined,
): Promise<void> {
  await storageId.write(original.storageId)
  tell('blobs handed back')
  await source.transact(forgetMove, undefined)
}

export function refused(sentence: string, cause?: unknown): Problem {
  return new Problem('storage-unavailable', sentence, {}, cause)
}

/** What an operator can do about what PostgreSQL, or the way to it, says. Never holds the address: it may have a password. */
function targetProblem(error: unknown, url: string, advice: typeof adviceFor): unknown {
  const root = rootOf(error)
  const code = 'code' in root ? String(root.code) : ''
  const words = (root.message || code).replace(/[.\s]+$/, '')
  const isOurs = root === error || code.startsWith('SQLITE_')
  if (isOurs && !/^[0-9A-Z]{5}$/.test(code)) return error
  return refused(advice(code, words, hostOf(url)), error)
}

const whereGone = 'Where it is gone for good, stowage migrate --undo --force does without it.'

function wayBackAdvice(code: string, words: string, host: string): string {
  if (isAway(code, words)) {
    return `PostgreSQL does not answer at ${host} (${code || words}). Check the address, and that the server runs. ${whereGone}`
  }
  if (isNoEntry(code, words)) return noEntry(words)
  return `That database cannot be used (${words}). Name the one that this installation was moved to. ${whereGone}`
}

function isAway(code: string, words: string): boolean {
  return /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOST|ENET|57P03)/.test(code) || /time-?out|terminated/i.test(words)
}

function isNoEntry(code: string, words: string): boolean {
  return code.startsWith('28') || words.includes('password must be')
}

function noEntry(words: string): string {
  return `PostgreSQL does not let this user in (${words}). Check user and password; the password may also be in PGPASSWORD.`
}

function adviceFor(code: string, words: string, host: string): string {
  if (isAway(code, words)) {
    return `PostgreSQL does not answer at ${host} (${code || words}). Check the address, and that the server runs and takes connections from here. What was copied stays: run the command again.`
  }
  if (isNoEntry(code, words)) return noEntry(words)
  if (code === '3D000') {
    return `There is no such database (${words}). Make it first: create database stowage encoding 'UTF8' template template0.`
  }
  if (code === '42501') {
    return `PostgreSQL does not let this user do that (${words}). The database should be his: create database stowage owner … encoding 'UTF8' template template0.`
  }
  if (code.startsWith('42')) return `That database holds something else (${words}). Name an empty one.`
  return `PostgreSQL cannot be used (${words}). Once that is mended, run the command again: it goes on where it stopped.`
}

function uncapitalised(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1)
}

function hostOf(url: string): string {
  const { host, searchParams } = new URL(url)
  return searchParams.get('host') ?? host
}

function rootOf(error: unknown): Error {
  let root = error instanceof Error ? error : new Error(String(error))
  while (root.cause instanceof Error) root = root.cause
  return root
}
