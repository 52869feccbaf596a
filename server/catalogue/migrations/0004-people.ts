import { type Kysely, PostgresAdapter, sql } from 'kysely'
import { columnTypes } from './column-types.ts'

/** Organisations and their teams, former names, tokens' parents, second factors, browser sessions, links for people. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter
  // All at once and in the order in which a look-up of the caller comes to them, or the two could wait for each other.
  if (isPostgres) await sql`lock table users, owners, tokens in access exclusive mode`.execute(db)
  await widen(db)
  await createOrganisations(db)
  await createSignIn(db)
}

async function widen(db: Kysely<unknown>): Promise<void> {
  const { id, text } = columnTypes(db)
  const add = (table: string) => db.schema.alterTable(table)
  for (const column of ['description', 'website', 'location']) {
    await add('owners')
      .addColumn(column, text, (it) => it.notNull().defaultTo(''))
      .execute()
  }
  await add('users')
    .addColumn('may_create_organisations', 'integer', (column) => column.notNull().defaultTo(1))
    .execute()
  await add('users').addColumn('totp_secret', text).execute()
  await add('users').addColumn('totp_last_step', 'bigint').execute()
  await add('tokens')
    .addColumn('parent_id', id, (column) => column.references('tokens.id').onDelete('cascade'))
    .execute()
  await db.schema
    .createIndex('tokens_parent')
    .on('tokens')
    .column('parent_id')
    .where(sql.ref('parent_id'), 'is not', null)
    .execute()
}

async function createOrganisations(db: Kysely<unknown>): Promise<void> {
  const { id, text, numbered } = columnTypes(db)
  await db.schema
    .createTable('organisations')
    .addColumn('id', id, (column) => column.primaryKey().references('owners.id').onDelete('cascade'))
    .addColumn('full_name', text, (column) => column.notNull())
    .addColumn('email', text)
    .addColumn('repo_admin_change_team_access', 'integer', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('teams')
    .addColumn('id', id, numbered)
    .addColumn('organisation_id', id, (column) => column.notNull().references('organisations.id').onDelete('cascade'))
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('name_key', text, (column) => column.notNull())
    .addColumn('description', text, (column) => column.notNull())
    .addColumn('permission', text, (column) => column.notNull())
    .addColumn('units_map', text, (column) => column.notNull())
    .addColumn('access', 'integer', (column) => column.notNull())
    .addColumn('includes_all_repositories', 'integer', (column) => column.notNull())
    .addColumn('can_create_org_repo', 'integer', (column) => column.notNull())
    .addUniqueConstraint('teams_name', ['organisation_id', 'name_key'])
    .execute()
  await db.schema
    .createTable('team_members')
    .addColumn('team_id', id, (column) => column.notNull().references('teams.id').onDelete('cascade'))
    .addColumn('user_id', id, (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('organisation_id', id, (column) => column.notNull())
    .addPrimaryKeyConstraint('team_members_key', ['team_id', 'user_id'])
    .execute()
  await db.schema.createIndex('team_members_user').on('team_members').columns(['user_id', 'organisation_id']).execute()
  await db.schema.createIndex('team_members_organisation').on('team_members').column('organisation_id').execute()
  await db.schema
    .createTable('former_names')
    .addColumn('name_key', text, (column) => column.primaryKey())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('owner_id', id, (column) => column.references('owners.id').onDelete('set null'))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('former_names_owner').on('former_names').column('owner_id').execute()
}

async function createSignIn(db: Kysely<unknown>): Promise<void> {
  const { id, text, numbered } = columnTypes(db)
  await db.schema
    .createTable('totp_enrolments')
    .addColumn('user_id', id, (column) => column.primaryKey().references('users.id').onDelete('cascade'))
    .addColumn('secret', text, (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('recovery_codes')
    .addColumn('user_id', id, (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('sha256', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('recovery_codes_key', ['user_id', 'sha256'])
    .execute()
  await db.schema
    .createTable('sessions')
    .addColumn('id', id, numbered)
    .addColumn('user_id', id, (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('sha256', text, (column) => column.notNull().unique())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('address', text, (column) => column.notNull())
    .addColumn('agent', text, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('sessions_user').on('sessions').column('user_id').execute()
  await db.schema
    .createTable('links')
    .addColumn('id', id, numbered)
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('sha256', text, (column) => column.notNull().unique())
    .addColumn('nonce', text, (column) => column.notNull())
    .addColumn('user_id', id, (column) => column.references('users.id').onDelete('cascade'))
    .addColumn('team_id', id, (column) => column.references('teams.id').onDelete('cascade'))
    .addColumn('email', text)
    .addColumn('full_name', text, (column) => column.notNull())
    .addColumn('created_by', id, (column) => column.references('users.id').onDelete('cascade'))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('mailed', 'integer', (column) => column.notNull())
    .execute()
  for (const column of ['user_id', 'team_id', 'created_by', 'expires_at']) {
    await db.schema.createIndex(`links_${column}`).on('links').column(column).execute()
  }
}
