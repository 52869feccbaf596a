import { type Kysely, PostgresAdapter, sql } from 'kysely'
import { columnTypes } from './column-types.ts'
import { lockTables } from './lock-tables.ts'

/**
 * More ways to come in, and rights on a single package: identities at OpenID providers, passkeys, package visibility and grants,
 * tokens of owners, trusted publishers.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (db.getExecutor().adapter instanceof PostgresAdapter) {
    await lockTables(db, async () => {
      await sql`
        lock table owners, users, teams, tokens, packages, versions, files in access exclusive mode`.execute(db)
    })
  }
  await widen(db)
  await createPackageAccess(db)
  await createSignIn(db)
  for (const index of indexes) await sql.raw(index).execute(db)
}

async function widen(db: Kysely<unknown>): Promise<void> {
  const { id, text } = columnTypes(db)
  await db.schema.alterTable('users').addColumn('suspended_at', 'bigint').execute()
  await db.schema.alterTable('tokens').addColumn('packages', text).execute()
  await db.schema
    .alterTable('packages')
    .addColumn('visibility', text, (it) => it.notNull().defaultTo('inherit'))
    .execute()
  for (const [table, column] of [
    ['versions', 'creator_owner_id'],
    ['files', 'uploader_owner_id'],
  ] as const) {
    await db.schema
      .alterTable(table)
      .addColumn(column, id, (it) => it.references('owners.id').onDelete('set null'))
      .execute()
  }
}

async function createPackageAccess(db: Kysely<unknown>): Promise<void> {
  const { id, text, numbered } = columnTypes(db)
  await db.schema
    .createTable('publishers')
    .addColumn('id', id, numbered)
    .addColumn('owner_id', id, (column) => column.notNull().references('owners.id').onDelete('cascade'))
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('issuer', text, (column) => column.notNull())
    .addColumn('pinned', text, (column) => column.notNull())
    .addColumn('claims', text, (column) => column.notNull())
    .addColumn('packages', text, (column) => column.notNull())
    .addColumn('created_by', id, (column) => column.references('users.id').onDelete('set null'))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint')
    .addUniqueConstraint('publishers_name', ['owner_id', 'name'])
    .execute()
  await db.schema
    .createTable('deploy_tokens')
    .addColumn('id', id, numbered)
    .addColumn('owner_id', id, (column) => column.notNull().references('owners.id').onDelete('cascade'))
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('sha256', text, (column) => column.notNull().unique())
    .addColumn('last_eight', text, (column) => column.notNull())
    .addColumn('scopes', text, (column) => column.notNull())
    .addColumn('packages', text)
    .addColumn('created_by', id, (column) => column.references('users.id').onDelete('set null'))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('last_used_at', 'bigint')
    .addColumn('publisher_id', id, (column) => column.references('publishers.id').onDelete('cascade'))
    .addColumn('claims', text)
    .execute()
  await db.schema
    .createTable('package_grants')
    .addColumn('id', id, numbered)
    .addColumn('owner_id', id, (column) => column.notNull().references('owners.id').onDelete('cascade'))
    .addColumn('package_id', id, (column) => column.notNull().references('packages.id').onDelete('cascade'))
    .addColumn('user_id', id, (column) => column.references('users.id').onDelete('cascade'))
    .addColumn('team_id', id, (column) => column.references('teams.id').onDelete('cascade'))
    .addColumn('deploy_token_id', id, (column) => column.references('deploy_tokens.id').onDelete('cascade'))
    .addColumn('access', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('file_origins')
    .addColumn('file_id', id, (column) => column.primaryKey().references('files.id').onDelete('cascade'))
    .addColumn('issuer', text, (column) => column.notNull())
    .addColumn('claims', text, (column) => column.notNull())
    .execute()
}

async function createSignIn(db: Kysely<unknown>): Promise<void> {
  const { id, text, numbered } = columnTypes(db)
  await db.schema
    .createTable('identities')
    .addColumn('id', id, numbered)
    .addColumn('user_id', id, (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('issuer', text, (column) => column.notNull())
    .addColumn('subject', text, (column) => column.notNull())
    .addColumn('label', text, (column) => column.notNull())
    .addColumn('seal_id', text, (column) => column.notNull())
    .addColumn('refresh_token', text)
    .addColumn('checked_at', 'bigint', (column) => column.notNull())
    .addColumn('lapsed_at', 'bigint')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint')
    .addUniqueConstraint('identities_subject', ['issuer', 'subject'])
    .execute()
  await db.schema
    .createTable('passkeys')
    .addColumn('id', id, numbered)
    .addColumn('user_id', id, (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('credential_id', text, (column) => column.notNull().unique())
    .addColumn('public_key', text, (column) => column.notNull())
    .addColumn('user_handle', text, (column) => column.notNull())
    .addColumn('sign_count', 'bigint', (column) => column.notNull())
    .addColumn('transports', text, (column) => column.notNull())
    .addColumn('is_backed_up', 'integer', (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint')
    .execute()
  await db.schema
    .createTable('used_once')
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('sha256', text, (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('used_once_key', ['kind', 'sha256'])
    .execute()
}

const indexes = [
  `create index packages_private on packages (owner_id, id) where visibility = 'private'`,
  `create index versions_creator_owner on versions (creator_owner_id) where creator_owner_id is not null`,
  `create index files_uploader_owner on files (uploader_owner_id) where uploader_owner_id is not null`,
  `create unique index deploy_tokens_name on deploy_tokens (owner_id, name) where publisher_id is null`,
  `create index publishers_pinned on publishers (issuer, pinned)`,
  `create index deploy_tokens_publisher on deploy_tokens (publisher_id) where publisher_id is not null`,
  `create index deploy_tokens_owner on deploy_tokens (owner_id)`,
  `create index deploy_tokens_maker on deploy_tokens (created_by) where created_by is not null`,
  `create index publishers_maker on publishers (created_by) where created_by is not null`,
  `create index deploy_tokens_expiry on deploy_tokens (expires_at) where expires_at is not null`,
  `create unique index package_grants_user on package_grants (package_id, user_id) where user_id is not null`,
  `create unique index package_grants_team on package_grants (package_id, team_id) where team_id is not null`,
  `create unique index package_grants_token on package_grants (package_id, deploy_token_id)
    where deploy_token_id is not null`,
  `create index package_grants_of_user on package_grants (user_id, owner_id, package_id) where user_id is not null`,
  `create index package_grants_of_team on package_grants (team_id, owner_id, package_id) where team_id is not null`,
  `create index package_grants_of_token on package_grants (deploy_token_id, owner_id, package_id)
    where deploy_token_id is not null`,
  `create index package_grants_package on package_grants (package_id)`,
  `create index package_grants_owner on package_grants (owner_id)`,
  `create index identities_user on identities (user_id)`,
  `create index identities_checked on identities (checked_at) where refresh_token is not null`,
  `create index passkeys_user on passkeys (user_id)`,
  `create index used_once_expiry on used_once (expires_at)`,
]
