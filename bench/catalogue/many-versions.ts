/** Whom and what to ask for in a catalogue of versions alone. */
export interface KnownVersions {
  versions: number
  packages: number
  ownerId: number
  /** The package that has half of the versions. */
  largest: string
  /** Parts of names: of one package, of six packages of ten, of none, and of all by a letter. */
  parts: { rare: string; frequent: string; none: string; letter: string }
}

/** Milliseconds since 1970; each version is a second younger than the one before. */
const begin = Date.UTC(2024, 0, 1)
const versionsOfOthers = 10
/** The first of them has everything. */
const people = 2_000

/** What lists of so many versions know of them, as statements for both databases. */
export function manyVersions(versions: number): { statements: string[]; known: KnownVersions } {
  const packages = 1 + Math.max(1, Math.round(versions / 2 / versionsOfOthers))
  const numbers = (last: number) =>
    `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${last})`
  const name = "'of-' || case when n % 10 between 2 and 7 then 'tools' else 'parts' end || '-' || cast(n as text)"
  const person = "'person-' || cast(n as text)"
  // Every second version is of the first package; of two packages the versions follow each other.
  const packageOf = `case when n % 2 = 1 then 1 else 2 + (n / 2 - 1) % ${packages - 1} end`
  const statements = [
    `${numbers(people)} insert into owners (id, kind, name, name_key, visibility, created_at)
      select n, 'user', ${person}, ${person}, 'public', ${begin} from numbers`,
    `${numbers(people)} insert into users
      (id, email, email_key, full_name, is_admin, is_active, is_restricted, prohibit_login, must_change_password)
      select n, ${person} || '@example.com', ${person} || '@example.com', '', 0, 1, 0, 0, 0 from numbers`,
    `${numbers(packages)} insert into packages (id, owner_id, name, name_key, created_at)
      select n, 1, ${name}, ${name}, ${begin} from numbers`,
    `${numbers(versions)} insert into versions (id, package_id, version, version_key, version_order, creator_id, created_at)
      select n, ${packageOf}, '1.' || cast(n as text), '1.' || cast(n as text),
        '11.' || cast(length(cast(n as text)) as text) || cast(n as text) || '%', 1, ${begin} + n * 1000 from numbers`,
    `insert into listings (version_id, owner_id, package_id, created_at, name_key, version_order, size, downloads)
      select versions.id, 1, package_id, versions.created_at, name_key, version_order,
        versions.id * 7919 % 1000003, versions.id * 104729 % 1009
      from versions join packages on packages.id = package_id order by versions.id`,
    `insert into package_counts (package_id, owner_id, versions, files, bytes, downloads, newest_at, newest_order)
      select package_id, 1, count(*), count(*), sum(size), sum(downloads), max(created_at), max(version_order)
      from listings group by package_id order by package_id`,
    `insert into owner_counts (owner_id, versions, packages, files, bytes)
      select 1, sum(versions), count(*), sum(files), sum(bytes) from package_counts`,
  ]
  const rare = packages - (packages % 10) - 8
  return {
    statements,
    known: {
      versions,
      packages,
      ownerId: 1,
      largest: 'of-parts-1',
      parts: { rare: `s-${rare}`, frequent: 'tools', none: 'stool', letter: 'o' },
    },
  }
}
