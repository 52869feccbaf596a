import { type Kysely, PostgresAdapter, sql } from 'kysely'
import { columnTypes } from './column-types.ts'
import { lockTables } from './lock-tables.ts'

/**
 * What the JSON API shows and does beside the protocol: texts of packages, sizes and downloads, orders of lists, search, quotas,
 * webhooks, the audit log.
 *
 * As with the lists before, triggers keep what is counted, so that it is right whatever the release that adds or removes a file.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter
  if (isPostgres) {
    // First: where that is refused, nobody has waited for nothing.
    await sql`create extension if not exists pg_trgm`.execute(db)
    await lockTables(db, async () => {
      // In the order in which a publish comes to them.
      await sql`lock table owners, tokens, packages, blobs, jobs in share row exclusive mode`.execute(db)
      await sql`
        lock table versions, files, listings, package_counts, owner_counts, doomed in access exclusive mode`.execute(db)
    })
  }
  await widen(db)
  await fill(db)
  await createPackageTables(db)
  await createWebhooks(db)
  await createAudit(db)
  for (const index of indexes) await sql.raw(index).execute(db)
  for (const statement of isPostgres ? postgresStatements : sqliteStatements) await sql.raw(statement).execute(db)
}

async function widen(db: Kysely<unknown>): Promise<void> {
  const { text } = columnTypes(db)
  const add = async (table: string, column: string) =>
    db.schema
      .alterTable(table)
      .addColumn(column, 'bigint', (it) => it.notNull().defaultTo(0))
      .execute()
  for (const column of ['size', 'downloads']) await add('listings', column)
  await add('files', 'downloads')
  for (const column of ['name_key', 'version_order']) {
    await db.schema
      .alterTable('listings')
      .addColumn(column, text, (it) => it.notNull().defaultTo(''))
      .execute()
  }
  await db.schema
    .alterTable('package_counts')
    .addColumn('newest_order', text, (it) => it.notNull().defaultTo(''))
    .execute()
  // Null where the release before this one added it: then the version's key is its place.
  await db.schema.alterTable('versions').addColumn('version_order', text).execute()
  for (const column of ['owner_id', 'files', 'bytes', 'downloads', 'newest_at']) await add('package_counts', column)
  for (const column of ['packages', 'files', 'bytes']) await add('owner_counts', column)
  await db.schema.alterTable('doomed').addColumn('size', 'bigint').execute()
}

async function fill(db: Kysely<unknown>): Promise<void> {
  await sql`update listings set
    name_key = (select name_key from packages where packages.id = listings.package_id),
    version_order = (select version_key from versions where versions.id = listings.version_id),
    size = (select coalesce(sum(blobs.size), 0) from files join blobs on blobs.id = files.blob_id
      where files.version_id = listings.version_id)`.execute(db)
  await sql`update package_counts set
    owner_id = (select owner_id from packages where packages.id = package_counts.package_id),
    files = (select count(*) from versions join files on files.version_id = versions.id
      where versions.package_id = package_counts.package_id),
    bytes = (select coalesce(sum(size), 0) from listings where listings.package_id = package_counts.package_id),
    newest_at = (select coalesce(max(created_at), 0) from listings
      where listings.package_id = package_counts.package_id)`.execute(db)
  await sql`update owner_counts set
    packages = (select count(*) from package_counts join packages on packages.id = package_counts.package_id
      where packages.owner_id = owner_counts.owner_id and package_counts.versions > 0),
    files = (select coalesce(sum(files), 0) from package_counts join packages on packages.id = package_counts.package_id
      where packages.owner_id = owner_counts.owner_id),
    bytes = (select coalesce(sum(bytes), 0) from package_counts join packages on packages.id = package_counts.package_id
      where packages.owner_id = owner_counts.owner_id)`.execute(db)
  await orderVersions(db)
  await sql`update package_counts set newest_order = coalesce((
    select version_order from listings where listings.package_id = package_counts.package_id
    order by created_at desc, version_id desc limit 1), '')`.execute(db)
}

/** Gives every version its place among those of its package. */
async function orderVersions(db: Kysely<unknown>): Promise<void> {
  const batch = 2_000
  for (let after = 0; ; ) {
    const { rows } = await sql<{ id: number; version_key: string }>`
      select id, version_key from versions where id > ${after} order by id limit ${batch}`.execute(db)
    if (rows.length === 0) return
    const last = Number(rows.at(-1)?.id)
    const places = sql.join(rows.map((row) => sql`(${sql.lit(Number(row.id))}, ${placeOf(row.version_key)})`))
    for (const [table, id] of [
      ['listings', 'version_id'],
      ['versions', 'id'],
    ] as const) {
      const its = sql.ref(`${table}.${id}`)
      // Joined, and within the range: else all places are gone through for each row, or all rows for each batch.
      await sql`
        with places (id, place) as (values ${places})
        update ${sql.table(table)} set version_order = places.place from places
        where ${its} = places.id and ${its} > ${after} and ${its} <= ${last}`.execute(db)
    }
    after = last
  }
}

/** `versionOrder` as it was when this was released. */
function placeOf(versionKey: string): string {
  const tokens = versionKey.replace(/^v(?=\d)/, '').match(/\d+|\D/g) ?? []
  const place = tokens.map((token) => {
    if (!/^\d/.test(token)) return token === '-' ? '#' : token === '~' ? '!' : token
    const digits = token.replace(/^0+(?=\d)/, '')
    return digits.length < 10 ? `${digits.length}${digits}` : `:${String(digits.length).padStart(3, '0')}${digits}`
  })
  return `${place.join('')}%`
}

async function createPackageTables(db: Kysely<unknown>): Promise<void> {
  const { id, text } = columnTypes(db)
  await db.schema
    .createTable('package_texts')
    .addColumn('package_id', id, (column) => column.primaryKey().references('packages.id').onDelete('cascade'))
    .addColumn('description', text, (column) => column.notNull())
    .addColumn('readme', text, (column) => column.notNull())
    .addColumn('homepage', text, (column) => column.notNull())
    .addColumn('repository_url', text, (column) => column.notNull())
    .addColumn('labels', text, (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
  for (const [table, column, parent] of [
    ['file_downloads', 'file_id', 'files.id'],
    ['version_downloads', 'version_id', 'versions.id'],
    ['package_downloads', 'package_id', 'packages.id'],
  ] as const) {
    await db.schema
      .createTable(table)
      .addColumn(column, id, (it) => it.notNull().references(parent).onDelete('cascade'))
      .addColumn('day', 'integer', (it) => it.notNull())
      .addColumn('downloads', 'bigint', (it) => it.notNull())
      .addPrimaryKeyConstraint(`${table}_key`, [column, 'day'])
      .execute()
  }
  await db.schema
    .createTable('quotas')
    .addColumn('owner_id', id, (column) => column.primaryKey().references('owners.id').onDelete('cascade'))
    .addColumn('versions', 'bigint')
    .addColumn('bytes', 'bigint')
    .addColumn('file_size', 'bigint')
    .execute()
  await db.schema
    .createTable('reservations')
    .addColumn('upload_id', text, (column) => column.primaryKey())
    .addColumn('lease_id', text, (column) => column.notNull())
    .addColumn('owner_id', id, (column) => column.notNull().references('owners.id').onDelete('cascade'))
    .addColumn('package_key', text, (column) => column.notNull())
    .addColumn('version_key', text, (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
}

async function createWebhooks(db: Kysely<unknown>): Promise<void> {
  const { id, text, numbered } = columnTypes(db)
  await db.schema
    .createTable('webhooks')
    .addColumn('id', id, numbered)
    .addColumn('owner_id', id, (column) => column.references('owners.id').onDelete('cascade'))
    .addColumn('type', text, (column) => column.notNull())
    .addColumn('url', text, (column) => column.notNull())
    .addColumn('seal_id', text, (column) => column.notNull())
    .addColumn('secret', text)
    .addColumn('authorization_header', text)
    .addColumn('events', text, (column) => column.notNull())
    .addColumn('is_active', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('deliveries')
    .addColumn('id', id, numbered)
    .addColumn('webhook_id', id, (column) => column.notNull().references('webhooks.id').onDelete('cascade'))
    .addColumn('uuid', text, (column) => column.notNull().unique())
    .addColumn('action', text, (column) => column.notNull())
    .addColumn('change', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('attempted_at', 'bigint')
    .addColumn('duration', 'bigint')
    .addColumn('request_origin', text)
    .addColumn('request_headers', text)
    .addColumn('request_body', text)
    .addColumn('response_status', 'integer')
    .addColumn('response_headers', text)
    .addColumn('response_body', text)
    .addColumn('error', text)
    .execute()
}

async function createAudit(db: Kysely<unknown>): Promise<void> {
  const { id, text, numbered } = columnTypes(db)
  // No foreign keys: what somebody did stays when he, or what he did it to, is gone.
  await db.schema
    .createTable('audit_events')
    .addColumn('id', id, numbered)
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('action', text, (column) => column.notNull())
    .addColumn('actor_id', id)
    .addColumn('actor_name', text)
    .addColumn('credential', text)
    .addColumn('token_last_eight', text)
    .addColumn('address', text)
    .addColumn('owner_id', id)
    .addColumn('owner_name', text)
    .addColumn('package_name', text)
    .addColumn('package_key', text)
    .addColumn('version', text)
    .addColumn('file', text)
    .addColumn('subject', text)
    .addColumn('details', text)
    .execute()
}

const indexes = [
  // The versions that hold the same bytes, each found by a step of its own.
  `drop index files_blob`,
  `create index files_blob on files (blob_id, version_id, id)`,
  `create index listings_owner_name on listings (owner_id, name_key, version_order, version_id)`,
  `create index listings_owner_version on listings (owner_id, version_order, version_id)`,
  `create index listings_owner_size on listings (owner_id, size, version_id)`,
  `create index listings_owner_downloads on listings (owner_id, downloads, version_id)`,
  `create index listings_package_version on listings (package_id, version_order, version_id)`,
  `create index listings_package_size on listings (package_id, size, version_id)`,
  `create index listings_package_downloads on listings (package_id, downloads, version_id)`,
  `create index package_counts_newest on package_counts (newest_at, package_id)`,
  `create index package_counts_version on package_counts (newest_order, package_id)`,
  `create index package_counts_bytes on package_counts (bytes, package_id)`,
  `create index package_counts_owner on package_counts (owner_id, bytes, package_id) where versions > 0`,
  `create index package_counts_downloads on package_counts (downloads, package_id)`,
  `create index packages_by_name on packages (name_key, id)`,
  `create index blobs_md5 on blobs (md5) where md5 is not null`,
  `create index blobs_sha1 on blobs (sha1) where sha1 is not null`,
  `create index blobs_sha256 on blobs (sha256)`,
  `create index blobs_sha512 on blobs (sha512) where sha512 is not null`,
  `create index reservations_owner on reservations (owner_id)`,
  `create index reservations_lease on reservations (lease_id)`,
  `create index webhooks_owner on webhooks (owner_id)`,
  `create index deliveries_webhook on deliveries (webhook_id, id)`,
  `create index deliveries_state on deliveries (webhook_id, state, id)`,
  `create index deliveries_waiting on deliveries (webhook_id) where state = 'waiting'`,
  `create index deliveries_age on deliveries (created_at)`,
  `create index audit_events_age on audit_events (created_at, id)`,
  `create index audit_events_owner on audit_events (owner_id, created_at, id) where owner_id is not null`,
  `create index audit_events_package on audit_events (owner_id, package_key, created_at, id)
    where package_key is not null`,
  `create index audit_events_actor on audit_events (actor_id, created_at, id) where actor_id is not null`,
  `create index audit_events_action on audit_events (action, created_at, id)`,
]

/** What lists and counts say of files; the log, in which nothing is changed; and an index of every three letters of a name. */
const sqliteStatements = [
  `drop trigger list_version`,
  `create trigger list_version after insert on versions begin
    insert into listings (version_id, owner_id, package_id, created_at, name_key, version_order)
    select new.id, owner_id, new.package_id, new.created_at, name_key, coalesce(new.version_order, new.version_key)
    from packages where id = new.package_id;
  end`,
  `drop trigger count_listed`,
  `create trigger count_listed after insert on listings begin
    insert into owner_counts (owner_id, versions, packages)
    select new.owner_id, 1, not exists (
      select 1 from package_counts where package_id = new.package_id and versions > 0) where true
    on conflict (owner_id) do update set versions = versions + 1, packages = packages + excluded.packages;
    insert into package_counts (package_id, owner_id, versions, newest_at, newest_order)
    values (new.package_id, new.owner_id, 1, new.created_at, new.version_order)
    on conflict (package_id) do update set versions = versions + 1, newest_at = max(newest_at, new.created_at),
      newest_order = case when new.created_at >= newest_at then new.version_order else newest_order end;
  end`,
  `drop trigger count_unlisted`,
  `create trigger count_unlisted after delete on listings begin
    update package_counts set versions = versions - 1, (newest_at, newest_order) = (
      select coalesce(max(created_at), 0), coalesce(max(version_order), '') from (
        select created_at, version_order from listings where package_id = old.package_id
        order by created_at desc, version_id desc limit 1))
    where package_id = old.package_id;
    update owner_counts set versions = versions - 1, packages = packages - (not exists (
      select 1 from listings where package_id = old.package_id))
    where owner_id = old.owner_id;
  end`,
  `create trigger count_file after insert on files begin
    update listings set size = size + (select size from blobs where id = new.blob_id) where version_id = new.version_id;
    update package_counts set files = files + 1, bytes = bytes + (select size from blobs where id = new.blob_id)
    where package_id = (select package_id from versions where id = new.version_id);
    update owner_counts set files = files + 1, bytes = bytes + (select size from blobs where id = new.blob_id)
    where owner_id = (select owner_id from listings where version_id = new.version_id);
  end`,
  `create trigger uncount_file after delete on files begin
    update listings set size = size - (select size from blobs where id = old.blob_id) where version_id = old.version_id;
    update package_counts set files = files - 1, bytes = bytes - (select size from blobs where id = old.blob_id)
    where package_id = (select package_id from versions where id = old.version_id);
    update owner_counts set files = files - 1, bytes = bytes - (select size from blobs where id = old.blob_id)
    where owner_id = (select owner_id from listings where version_id = old.version_id);
  end`,
  `create trigger audit_events_stay before update on audit_events begin
    select raise(abort, 'the audit log is append only');
  end`,
  `create virtual table package_names using fts5(name_key, content='packages', content_rowid='id', detail='none',
    tokenize='trigram case_sensitive 1')`,
  `insert into package_names (package_names) values ('rebuild')`,
  `create trigger index_package after insert on packages begin
    insert into package_names (rowid, name_key) values (new.id, new.name_key);
  end`,
  `create trigger unindex_package after delete on packages begin
    insert into package_names (package_names, rowid, name_key) values ('delete', old.id, old.name_key);
  end`,
]

/**
 * Counts go up as the last thing before the commit, since whoever publishes at the same owner waits for them from then on. What
 * deletes count down is gathered in `count_changes`, a row for each statement and package, and done then too.
 */
const postgresStatements = [
  `create table count_changes (
    transaction bigint not null default txid_current(), id bigint generated by default as identity,
    primary key (transaction, id),
    owner_id bigint not null, package_id bigint not null, versions bigint not null, files bigint not null, bytes bigint not null)`,
  `create or replace function list_version() returns trigger language plpgsql as $$ begin
    insert into listings (version_id, owner_id, package_id, created_at, name_key, version_order)
    select new.id, owner_id, new.package_id, new.created_at, name_key, coalesce(new.version_order, new.version_key)
    from packages where id = new.package_id;
    return null;
  end $$`,
  `drop trigger count_listed on listings`,
  `drop function count_listed`,
  `drop trigger count_unlisted on versions`,
  `drop function count_unlisted`,
  `create function apply_count_change() returns trigger language plpgsql as $$
  declare
    sums record;
    had bigint;
    has bigint;
  begin
    -- All that this transaction has changed in the package, when the first of it comes up; of the others only the key is looked up.
    perform 1 from count_changes where transaction = new.transaction and id = new.id;
    if not found then return null; end if;
    with taken as (
      delete from count_changes where transaction = txid_current() and package_id = new.package_id
      returning versions, files, bytes
    )
    select sum(versions) as versions, sum(files) as files, sum(bytes) as bytes, bool_or(versions <> 0) as is_other
    into sums from taken;
    if sums.versions is null then return null; end if;
    insert into package_counts (package_id, owner_id, versions)
    select new.package_id, new.owner_id, 0 where exists (select 1 from packages where id = new.package_id)
    on conflict do nothing;
    select versions into had from package_counts where package_id = new.package_id for update;
    if had is not null then
      has := had + sums.versions;
      update package_counts as counts set versions = has, files = counts.files + sums.files,
        bytes = counts.bytes + sums.bytes
      where package_id = new.package_id;
      if sums.is_other then
        update package_counts set (newest_at, newest_order) = (
          select coalesce(max(created_at), 0), coalesce(max(version_order), '') from (
            select created_at, version_order from listings where package_id = new.package_id
            order by created_at desc, version_id desc limit 1) as newest)
        where package_id = new.package_id;
      end if;
    else
      -- The package is gone, and so are all versions that it had.
      had := -sums.versions;
      has := 0;
    end if;
    insert into owner_counts as counts (owner_id, versions, packages, files, bytes)
    select new.owner_id, sums.versions, (has > 0)::int - (had > 0)::int, sums.files, sums.bytes
    where exists (select 1 from owners where id = new.owner_id)
    on conflict (owner_id) do update set versions = counts.versions + excluded.versions,
      packages = counts.packages + excluded.packages, files = counts.files + excluded.files,
      bytes = counts.bytes + excluded.bytes;
    return null;
  end $$`,
  `create constraint trigger apply_count_change after insert on count_changes
  deferrable initially deferred for each row execute function apply_count_change()`,
  `create function count_listed() returns trigger language plpgsql as $$ begin
    insert into count_changes (owner_id, package_id, versions, files, bytes)
    values (new.owner_id, new.package_id, 1, 0, 0);
    return null;
  end $$`,
  `create trigger count_listed after insert on listings for each row execute function count_listed()`,
  `create function count_unlisted() returns trigger language plpgsql as $$ begin
    insert into count_changes (owner_id, package_id, versions, files, bytes)
    select packages.owner_id, packages.id, -count(*), 0, 0
    from gone join packages on packages.id = gone.package_id group by packages.id;
    return null;
  end $$`,
  `create trigger count_unlisted after delete on versions
  referencing old table as gone for each statement execute function count_unlisted()`,
  `create function count_file() returns trigger language plpgsql as $$
  declare
    added bigint;
  begin
    select size into added from blobs where id = new.blob_id;
    update listings set size = size + added where version_id = new.version_id;
    insert into count_changes (owner_id, package_id, versions, files, bytes)
    select owner_id, package_id, 0, 1, added from listings where version_id = new.version_id;
    return null;
  end $$`,
  `create trigger count_file after insert on files for each row execute function count_file()`,
  `create function uncount_file() returns trigger language plpgsql as $$ begin
    update listings set size = listings.size - sums.bytes
    from (
      select gone.version_id, sum(blobs.size) as bytes
      from gone join blobs on blobs.id = gone.blob_id group by gone.version_id
    ) as sums
    where listings.version_id = sums.version_id;
    insert into count_changes (owner_id, package_id, versions, files, bytes)
    select listings.owner_id, listings.package_id, 0, -count(*), -sum(blobs.size)
    from gone join blobs on blobs.id = gone.blob_id join listings on listings.version_id = gone.version_id
    group by listings.owner_id, listings.package_id;
    return null;
  end $$`,
  `create trigger uncount_file after delete on files
  referencing old table as gone for each statement execute function uncount_file()`,
  `create function audit_events_stay() returns trigger language plpgsql as $$ begin
    raise exception 'the audit log is append only';
  end $$`,
  `create trigger audit_events_stay before update on audit_events
  for each statement execute function audit_events_stay()`,
  `create index packages_trigrams on packages using gin (name_key gin_trgm_ops)`,
]
