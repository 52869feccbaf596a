import type { Context } from 'hono'
import { type Sorting, type SortKey, sortKeys } from '../registry/lists.ts'
import type { Paging } from './components/parts.tsx'

/** What a long list shows at once. */
const rows = 30

export interface Window {
  offset: number
  limit: number
}

/** Which stretch of a list an address asks for. */
export interface Shown extends Window {
  /** From 1. */
  page: number
}

/** `?page=`, from 1; what cannot be read is the first one. */
export function shownOf(c: Context): Shown {
  const sent = c.req.query('page') ?? ''
  const page = /^[1-9]\d{0,8}$/.test(sent) ? Number(sent) : 1
  return { page, limit: rows, offset: (page - 1) * rows }
}

/** `?sort=` and `?order=`; what is neither is as if it had not been said. */
export function sortingOf(c: Context, otherwise: SortKey = 'created'): Sorting {
  const by = sortKeys.find((key) => key === c.req.query('sort')) ?? otherwise
  const order = c.req.query('order')
  return { by, descending: order === 'desc' || (order !== 'asc' && !ascendsFirst(by)) }
}

/** Names are read from the beginning; of all else people want the newest and the most. */
export function ascendsFirst(by: SortKey): boolean {
  return by === 'name'
}

/** For the `Pager`. */
export function pagingOf(
  { found, total }: { found: readonly unknown[]; total: number | undefined },
  shown: Shown,
): Paging {
  return { page: shown.page, limit: shown.limit, total, shown: found.length }
}
