import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Db } from '../../server/catalogue/schema.ts'
import { objectsOf } from './store.ts'

const counted = ['packages', 'versions', 'files', 'blobs', 'doomed', 'jobs'] as const

/** How many rows each table has that a publish or a delete writes to; jobs that come again and again are not counted. */
export async function rowCounts(db: Db): Promise<Record<(typeof counted)[number], number>> {
  const counts = counted.map(async (table) => {
    const { total } = await db
      .selectFrom(table as 'jobs')
      .$if(table === 'jobs', (jobs) => jobs.where('subject', '<>', ''))
      .select((select) => select.fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow()
    return [table, Number(total)] as const
  })
  return Object.fromEntries(await Promise.all(counts)) as Record<(typeof counted)[number], number>
}

/** What must never be seen: versions without a file, packages without a version of which nothing is said, blobs that no file has. */
export async function emptyParents(db: Db): Promise<string[]> {
  const versions = await db
    .selectFrom('versions')
    .leftJoin('files', 'files.version_id', 'versions.id')
    .select('versions.version')
    .where('files.id', 'is', null)
    .execute()
  const packages = await db
    .selectFrom('packages')
    .leftJoin('versions', 'versions.package_id', 'packages.id')
    .leftJoin('package_texts', 'package_texts.package_id', 'packages.id')
    .select('packages.name')
    .where('versions.id', 'is', null)
    .where('package_texts.package_id', 'is', null)
    .execute()
  const blobs = await db
    .selectFrom('blobs')
    .leftJoin('files', 'files.blob_id', 'blobs.id')
    .select('blobs.sha256')
    .where('files.id', 'is', null)
    .execute()
  return [
    ...versions.map(({ version }) => `version ${version}`),
    ...packages.map(({ name }) => `package ${name}`),
    ...blobs.map(({ sha256 }) => `blob ${sha256}`),
  ]
}

/** The files below `data/blobs`, or in its bucket, by their path from there, with their sizes; the storage's own id is no blob. */
export async function blobFiles(dataDir: string): Promise<Map<string, number>> {
  const objects = await objectsOf(dataDir)
  if (objects) return objects
  const root = join(dataDir, 'blobs')
  const found = new Map<string, number>()
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length + 1)
    if (name === 'storage-id') continue
    // It may have been removed since it was listed.
    const size = await stat(path).then(
      (about) => about.size,
      () => undefined,
    )
    if (size !== undefined) found.set(name, size)
  }
  return found
}
