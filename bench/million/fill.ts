import { Database } from 'bun:sqlite'
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { versionOrder } from '../../server/lib/version-order.ts'
import {
  contentOf,
  fileName,
  fileSize,
  filesOf,
  locationOf,
  packageName,
  placeOf,
  type Site,
  versionName,
} from './site.ts'

/** Milliseconds since 1970, of the first version; each is a second younger than the one before. */
const begin = Date.UTC(2024, 0, 1)
/** Files between two looks at whether to stop. */
const batch = 4096

/**
 * Writes a site's files and rows into the data directory of a server that was started once and has ended. The catalogue's own
 * triggers make its lists and counts. Nothing of it survives a crash of the machine before the end.
 */
export async function fill(dataDir: string, site: Site, stop: AbortSignal, progress: (files: number) => void) {
  const database = new Database(join(dataDir, 'stowage.db'))
  try {
    for (const pragma of ['synchronous = off', 'journal_mode = memory', 'foreign_keys = off', 'cache_size = -500000']) {
      database.run(`pragma ${pragma}`)
    }
    database.run('begin')
    const restore = withoutIndexes(database)
    const add = adding(database, site)
    for (let from = 0; from < filesOf(site); from += batch) {
      for (let file = from; file < Math.min(from + batch, filesOf(site)); file += 1) {
        const content = contentOf(file)
        add(file, content)
        store(join(dataDir, 'blobs'), file, content)
      }
      progress(Math.min(from + batch, filesOf(site)))
      await Bun.sleep(0)
      stop.throwIfAborted()
    }
    for (const statement of restore) {
      database.run(statement)
      await Bun.sleep(0)
      stop.throwIfAborted()
    }
    database.run('commit')
    database.run('pragma journal_mode = wal')
  } finally {
    database.close()
  }
}

/** Takes those away that no key needs, since they are made sooner afterwards; returns what makes them again. */
function withoutIndexes(database: Database): string[] {
  const indexes = database
    .query<{ name: string; sql: string }, []>(
      `select name, sql from sqlite_schema where type = 'index' and sql is not null
        and tbl_name in ('packages', 'versions', 'files', 'blobs', 'listings', 'package_counts')`,
    )
    .all()
  for (const { name } of indexes) database.run(`drop index ${name}`)
  return indexes.map(({ sql }) => sql)
}

function adding(database: Database, { packages, ...site }: Site) {
  const owner = database.query<{ id: number }, []>(`select id from owners where name_key = 'bench'`).get()?.id ?? 0
  const insert = (table: string, ...columns: string[]) => {
    const statement = database.prepare(
      `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
    )
    return (...values: (string | number)[]) => Number(statement.run(...values).lastInsertRowid)
  }
  const addPackage = insert('packages', 'owner_id', 'name', 'name_key', 'created_at')
  const addVersion = insert(
    'versions',
    ...['package_id', 'version', 'version_key', 'version_order', 'creator_id', 'created_at'],
  )
  const addBlob = insert(
    'blobs',
    ...['scope', 'sha256', 'size', 'location', 'md5', 'sha1', 'sha512', 'state', 'created_at'],
  )
  const addFile = insert(
    'files',
    ...['version_id', 'name', 'name_key', 'blob_id', 'uploader_id', 'upload_id', 'created_at'],
  )
  const packageIds: number[] = []
  return (file: number, content: Uint8Array): void => {
    const place = placeOf({ packages, ...site }, file)
    const at = begin + file * 1_000
    const name = packageName(place.package)
    packageIds[place.package] ??= addPackage(owner, name, name, at)
    const version = versionName(place.version)
    const versionId = addVersion(packageIds[place.package] ?? 0, version, version, versionOrder(version), owner, at)
    const digest = (algorithm: string) => createHash(algorithm).update(content).digest('hex')
    const { folder, name: blob } = locationOf(file)
    const blobId = addBlob(
      ...(['', digest('sha256'), fileSize, `${folder}/${blob}`] as const),
      ...([digest('md5'), digest('sha1'), digest('sha512'), 'live', at] as const),
    )
    addFile(versionId, fileName, fileName, blobId, owner, `million-${file}`, at)
  }
}

function store(blobs: string, file: number, content: Uint8Array): void {
  const { folder, name } = locationOf(file)
  if (file % batch === 0) mkdirSync(join(blobs, folder), { recursive: true, mode: 0o700 })
  const handle = openSync(join(blobs, folder, name), 'wx', 0o600)
  writeSync(handle, content)
  closeSync(handle)
}
