import type { AuditDetails } from './audit.ts'

type Value = string | number | boolean | null

/** How the log calls a column, and whether it says how that was and is: of what is private, only that it changed. */
export type Told<Row> = { readonly [Column in keyof Row]?: readonly [name: string, 'flag' | 'value' | 'name only'] }

/** What the log says of a change: the fields that differ now, and of some of them how they were and are. Undefined where none does. */
export function changesOf<Row extends object>(before: Row, after: Row, told: Told<Row>): AuditDetails | undefined {
  const fields: string[] = []
  const values: Record<string, Value> = {}
  for (const column of Object.keys(told) as (keyof Row & string)[]) {
    const [name, how] = told[column] ?? [column, 'name only']
    if (before[column] === after[column]) continue
    fields.push(name)
    if (how === 'name only') continue
    values[`${name}_before`] = shown(before[column], how)
    values[name] = shown(after[column], how)
  }
  return fields.length === 0 ? undefined : { fields, ...values }
}

function shown(value: unknown, how: 'flag' | 'value'): Value {
  if (how === 'flag') return value === 1
  return value === null || typeof value === 'number' ? value : String(value)
}
