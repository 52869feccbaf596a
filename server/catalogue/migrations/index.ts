import type { Migration } from 'kysely/migration'
import * as first from './0001-first.ts'
import * as manyNodes from './0002-many-nodes.ts'
import * as lists from './0003-lists.ts'
import * as people from './0004-people.ts'
import * as api from './0005-api.ts'
import * as access from './0006-access.ts'

/** Every migration, in order, by import: a build in a single file has them too. Released ones are never edited. */
export const migrations: Record<string, Migration> = {
  '0001-first': first,
  '0002-many-nodes': manyNodes,
  '0003-lists': lists,
  '0004-people': people,
  '0005-api': api,
  '0006-access': access,
}
