import { type Kysely, PostgresAdapter, sql } from 'kysely'
import { columnTypes } from './column-types.ts'

/**
 * What lists of versions are read from: each version's line in the order of creation, and how many versions an owner and
 * a package have.
 *
 * Triggers keep all three, so that they are right whatever the release that adds a version: the one before this writes
 * `versions` as ever. In tables of their own, because a new column of `versions` would be filled under a lock that downloads
 * wait for; like this only publishes and deletes do.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter
  // In the order in which a publish comes to them, or the two could wait for each other.
  if (isPostgres) await sql`lock table owners, tokens, packages, versions, jobs in share row exclusive mode`.execute(db)
  await createTables(db)
  await fill(db)
  await createIndexes(db)
  for (const trigger of isPostgres ? postgresTriggers : sqliteTriggers) await sql.raw(trigger).execute(db)
}

async function createTables(db: Kysely<unknown>): Promise<void> {
  const { id } = columnTypes(db)
  await db.schema
    .createTable('listings')
    .addColumn('version_id', id, (column) => column.primaryKey().references('versions.id').onDelete('cascade'))
    .addColumn('owner_id', id, (column) => column.notNull())
    .addColumn('package_id', id, (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('package_counts')
    .addColumn('package_id', id, (column) => column.primaryKey().references('packages.id').onDelete('cascade'))
    .addColumn('versions', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('owner_counts')
    .addColumn('owner_id', id, (column) => column.primaryKey().references('owners.id').onDelete('cascade'))
    .addColumn('versions', 'bigint', (column) => column.notNull())
    .execute()
}

/** With the versions that are there already. */
async function fill(db: Kysely<unknown>): Promise<void> {
  await sql`
    insert into listings (version_id, owner_id, package_id, created_at)
    select versions.id, packages.owner_id, versions.package_id, versions.created_at
    from versions join packages on packages.id = versions.package_id`.execute(db)
  await sql`
    insert into package_counts (package_id, versions)
    select package_id, count(*) from listings group by package_id`.execute(db)
  await sql`
    insert into owner_counts (owner_id, versions)
    select owner_id, count(*) from listings group by owner_id`.execute(db)
}

async function createIndexes(db: Kysely<unknown>): Promise<void> {
  // Read backwards, newest first. Written forwards: what is always added at an end leaves full pages behind.
  const inOrder = ['created_at', 'version_id'] as const
  await db.schema
    .createIndex('listings_owner')
    .on('listings')
    .columns(['owner_id', ...inOrder])
    .execute()
  await db.schema
    .createIndex('listings_package')
    .on('listings')
    .columns(['package_id', ...inOrder])
    .execute()
  await db.schema.createIndex('tokens_user').on('tokens').columns(['user_id', 'id']).execute()
  await db.schema
    .createIndex('jobs_given_up')
    .on('jobs')
    .column('id')
    .where(sql.ref('given_up_at'), 'is not', null)
    .execute()
}

/** Listings go with their versions, by the foreign key; which fires their own triggers. */
const sqliteTriggers = [
  `create trigger list_version after insert on versions begin
    insert into listings (version_id, owner_id, package_id, created_at)
    select new.id, owner_id, new.package_id, new.created_at from packages where id = new.package_id;
  end`,
  `create trigger count_listed after insert on listings begin
    insert into package_counts (package_id, versions) values (new.package_id, 1)
    on conflict (package_id) do update set versions = versions + 1;
    insert into owner_counts (owner_id, versions) values (new.owner_id, 1)
    on conflict (owner_id) do update set versions = versions + 1;
  end`,
  `create trigger count_unlisted after delete on listings begin
    update package_counts set versions = versions - 1 where package_id = old.package_id;
    update owner_counts set versions = versions - 1 where owner_id = old.owner_id;
  end`,
]

/**
 * Counts go up as the last thing before the commit, since whoever publishes at the same owner waits for them from then on. They
 * go down once for all versions that a statement deletes: a row that one transaction changes a thousand times is slow to find.
 */
const postgresTriggers = [
  `create function list_version() returns trigger language plpgsql as $$ begin
    insert into listings (version_id, owner_id, package_id, created_at)
    select new.id, owner_id, new.package_id, new.created_at from packages where id = new.package_id;
    return null;
  end $$`,
  `create trigger list_version after insert on versions for each row execute function list_version()`,
  `create function count_listed() returns trigger language plpgsql as $$ begin
    insert into package_counts as counts (package_id, versions) values (new.package_id, 1)
    on conflict (package_id) do update set versions = counts.versions + 1;
    insert into owner_counts as counts (owner_id, versions) values (new.owner_id, 1)
    on conflict (owner_id) do update set versions = counts.versions + 1;
    return null;
  end $$`,
  `create constraint trigger count_listed after insert on listings
  deferrable initially deferred for each row execute function count_listed()`,
  `create function count_unlisted() returns trigger language plpgsql as $$ begin
    update package_counts as counts set versions = counts.versions - gone.versions
    from (select package_id, count(*) as versions from gone group by package_id) as gone
    where counts.package_id = gone.package_id;
    update owner_counts as counts set versions = counts.versions - gone.versions
    from (
      select owner_id, count(*) as versions from gone join packages on packages.id = gone.package_id group by owner_id
    ) as gone
    where counts.owner_id = gone.owner_id;
    return null;
  end $$`,
  `create trigger count_unlisted after delete on versions
  referencing old table as gone for each statement execute function count_unlisted()`,
]
