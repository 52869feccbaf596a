import { type ColumnDefinitionBuilder, type Kysely, PostgresAdapter, sql } from 'kysely'

/** What the databases call the same thing. Text is compared byte by byte on both: no locale decides about names. */
export function columnTypes(db: Kysely<unknown>) {
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter
  return {
    /** Of a column that holds another row's id. */
    id: isPostgres ? 'bigint' : 'integer',
    text: isPostgres ? sql`text collate "C"` : 'text',
    /** Makes an id column number its rows by itself; a number is never used twice. */
    numbered: (column: ColumnDefinitionBuilder) =>
      isPostgres ? column.primaryKey().generatedByDefaultAsIdentity() : column.primaryKey().autoIncrement(),
  } as const
}
