import { z } from 'zod'
import { Problem } from '../../problems.ts'
import { type Sorting, type SortKey, sortKeys } from '../../registry/lists.ts'

const directions = ['asc', 'desc'] as const

/** For `documented`: the parameters that `sortingFrom` reads. */
export const sortParameters = {
  sort: { description: 'By what. Not said: `created`.', schema: z.enum(sortKeys) },
  order: { description: 'Not said: `asc` for `name`, `desc` for all others.', schema: z.enum(directions) },
}

/** `sort` and `order` of a list; `unprocessable` where they are of none. */
export function sortingFrom(query: { sort?: string | undefined; order?: string | undefined }): Sorting {
  const by: SortKey = oneOf(sortKeys, 'sort', query.sort) ?? 'created'
  const direction = oneOf(directions, 'order', query.order) ?? (by === 'name' ? 'asc' : 'desc')
  return { by, descending: direction === 'desc' }
}

function oneOf<Value extends string>(
  values: readonly Value[],
  name: string,
  text: string | undefined,
): Value | undefined {
  if (!text) return undefined
  const value = values.find((known) => known === text)
  if (value === undefined) throw new Problem('unprocessable', `${name}: must be ${values.join(', ')}, or not be there`)
  return value
}
