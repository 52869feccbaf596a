import type { Db, PackageVisibility, Tx } from './schema.ts'

/** What its people say of a package; '' and no labels where they say nothing. */
export interface PackageTexts {
  description: string
  /** Markdown. */
  readme: string
  homepage: string
  repository_url: string
  labels: readonly string[]
}

export const noTexts: PackageTexts = { description: '', readme: '', homepage: '', repository_url: '', labels: [] }

/** A package with what is said of it and what it has. */
export interface DescribedPackage extends PackageTexts {
  id: number
  name: string
  visibility: PackageVisibility
  versions: number
  files: number
  /** Bytes, also those that are stored once for several files. */
  size: number
  downloads: number
  createdAt: number
  /** When its newest version was made or, if that was later, something else was said of it. */
  updatedAt: number
}

/** A package, also one that has no version any more. */
export async function describedPackage(
  db: Db | Tx,
  wanted: { ownerId: number; nameKey: string },
): Promise<DescribedPackage | undefined> {
  const row = await db
    .selectFrom('packages')
    .leftJoin('package_counts as counts', 'counts.package_id', 'packages.id')
    .leftJoin('package_texts as texts', 'texts.package_id', 'packages.id')
    .select(['packages.id', 'packages.name', 'packages.visibility', 'packages.created_at'])
    .select(['counts.versions', 'counts.files', 'counts.bytes', 'counts.downloads', 'counts.newest_at'])
    .select(['texts.description', 'texts.readme', 'texts.homepage', 'texts.repository_url', 'texts.labels'])
    .select('texts.updated_at')
    .where('packages.owner_id', '=', wanted.ownerId)
    .where('packages.name_key', '=', wanted.nameKey)
    .executeTakeFirst()
  if (!row) return undefined
  return {
    id: row.id,
    name: row.name,
    visibility: row.visibility,
    description: row.description ?? '',
    readme: row.readme ?? '',
    homepage: row.homepage ?? '',
    repository_url: row.repository_url ?? '',
    labels: row.labels === null ? [] : JSON.parse(row.labels),
    versions: row.versions ?? 0,
    files: row.files ?? 0,
    size: row.bytes ?? 0,
    downloads: row.downloads ?? 0,
    createdAt: row.created_at,
    updatedAt: Math.max(row.created_at, row.newest_at ?? 0, row.updated_at ?? 0),
  }
}

/** Sets all that is said of a package. */
export async function setTexts(tx: Tx, packageId: number, texts: PackageTexts, now: number): Promise<void> {
  const columns = {
    description: texts.description,
    readme: texts.readme,
    homepage: texts.homepage,
    repository_url: texts.repository_url,
    labels: JSON.stringify(texts.labels),
    updated_at: now,
  }
  await tx
    .insertInto('package_texts')
    .values({ package_id: packageId, ...columns })
    .onConflict((conflict) => conflict.column('package_id').doUpdateSet(columns))
    .execute()
}

/** From here on the package goes with its last version. */
export async function dropTexts(tx: Tx, packageId: number): Promise<void> {
  await tx.deleteFrom('package_texts').where('package_id', '=', packageId).execute()
}
