import type { AroundStatement } from '../../server/catalogue/statement.ts'
import { onPostgres } from './database.ts'

/** Rows that a statement may sort: those of a page, or the files of a version. */
const mostSorted = 50
/** Tables that stay small whatever is published. */
const small = ['leases', 'site', 'holds']

/** A statement with how the database goes about it. */
export interface Planned {
  sql: string
  /** What in the plan takes longer the more there is. */
  flaws: string[]
  /** Indexes that say all that is asked of them, without a look at the table. */
  covering: string[]
}

/** Keeps the plan of every statement that runs while something is watched. */
export class Plans {
  #watched: Planned[] | undefined
  /** Runs a statement beside everything else. */
  readonly #execute: (sql: string) => Promise<Record<string, unknown>[]>

  constructor(execute: (sql: string) => Promise<Record<string, unknown>[]>) {
    this.#execute = execute
  }

  readonly around: AroundStatement = async (sql, run) => {
    if (this.#watched && /^\s*(select|insert|update|delete|with)\b/.test(sql)) {
      this.#watched.push(await this.#planOf(sql, run))
    }
    return run(sql)
  }

  /** The statements of some work, in their order. */
  async of(work: () => Promise<unknown>): Promise<Planned[]> {
    const watched: Planned[] = []
    this.#watched = watched
    await work()
    this.#watched = undefined
    return watched
  }

  async #planOf(sql: string, run: (sql: string) => unknown): Promise<Planned> {
    if (onPostgres) {
      const { rows } = (await run(`explain (format json) ${sql}`)) as { rows: { 'QUERY PLAN': { Plan: Node }[] }[] }
      const nodes = rows.flatMap((row) => row['QUERY PLAN'].map(({ Plan }) => Plan))
      return { sql, flaws: nodes.flatMap((node) => flawsIn(node)), covering: nodes.flatMap(coveringIn) }
    }
    const lines = (await this.#execute(`explain query plan ${sql}`)).map(({ detail }) => String(detail))
    const covering = lines.flatMap((line) => / USING COVERING INDEX (\w+)/.exec(line)?.[1] ?? [])
    return { sql, flaws: flawsInLines(sql, lines), covering }
  }
}

/** A node of a plan, as `explain (format json)` shows it. */
interface Node {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Index Cond'?: string
  Filter?: string
  'Plan Rows': number
  Plans?: Node[]
}

function flawsIn(node: Node, isLimited = false): string[] {
  const { 'Node Type': type, 'Relation Name': table = '', 'Plan Rows': rows, Plans: below = [] } = node
  const flaws: string[] = []
  if (type === 'Seq Scan' && !small.includes(table)) flaws.push(`reads all of ${table}`)
  // Of jobs nearly all wait, so those that do are soon found.
  const isSoonOver = isLimited && (!node.Filter || table === 'jobs')
  if (/^Index.* Scan$/.test(type) && !node['Index Cond'] && !isSoonOver) flaws.push(`reads an index of ${table}`)
  if (/Sort$/.test(type) && rows > mostSorted) flaws.push(`sorts ${rows} rows`)
  const gathers = /Sort$|^Hash$|Aggregate|Materialize/.test(type)
  return [...flaws, ...below.flatMap((child) => flawsIn(child, type === 'Limit' || (isLimited && !gathers)))]
}

function coveringIn({ 'Node Type': type, 'Index Name': index, Plans: below = [] }: Node): string[] {
  return [...(type === 'Index Only Scan' && index ? [index] : []), ...below.flatMap(coveringIn)]
}

/** The same of SQLite's plans, which are lines of text. */
function flawsInLines(sql: string, lines: string[]): string[] {
  // An owner has a few webhooks.
  const sorts = / from "webhooks"/.test(sql) ? [] : lines.filter((line) => line.includes('TEMP B-TREE'))
  // Results of subqueries, by the names that the statements give them, and rows that stand in the statement (`2 CONSTANT ROWS`).
  const gathered = [
    'CONSTANT',
    'request',
    'caller',
    'address',
    'deploy',
    'stretch',
    'some',
    'counted',
    'more',
    'hits',
    'holders',
    'json_each',
    ...small,
  ]
  const scans = lines
    // A search of an index of texts, which it also calls a scan.
    .filter((line) => !/ VIRTUAL TABLE INDEX \d+:M/.test(line))
    .map((line) => /^SCAN (\w+)/.exec(line)?.[1])
    .filter((name) => name && !/^\d+$/.test(name) && !gathered.includes(name))
  const isLimited = / limit \+?\?/.test(sql) && sorts.length === 0
  return [...sorts, ...(isLimited ? [] : scans.map((name) => `reads all of ${name}`))]
}
