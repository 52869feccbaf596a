import { formatSize, parseSize } from '../../lib/sizes.ts'
import { number } from '../words.ts'

/** As much as one likes, in an owner's own numbers. */
export const unlimited = -1

/** How a limit is typed: what it counts, and what it is where nothing is typed. */
export interface LimitKind {
  of: 'bytes' | 'versions'
  /** Whether `unlimited` differs from nothing: at an owner, nothing is what all owners have. */
  isOwn: boolean
}

/** What was typed for a limit, or a sentence about it. Null: nothing is set. */
export function limitFrom(text: string, { of, isOwn }: LimitKind): { limit: number | null } | { fault: string } {
  const typed = text.trim()
  if (typed === '') return { limit: null }
  if (typed.toLowerCase() === 'unlimited') return { limit: isOwn ? unlimited : null }
  const limit = of === 'bytes' ? parseSize(typed) : count(typed)
  if (limit !== undefined) return { limit }
  const expected = of === 'bytes' ? 'a size, such as 10 GB or 500 MiB' : 'a whole number'
  return { fault: `This must be ${expected}; leave it empty for ${isOwn ? 'what all owners have' : 'no limit'}.` }
}

/** As it is typed, so that it is read back as the same number. */
export function limitText(limit: number | null, of: LimitKind['of']): string {
  if (limit === null) return ''
  if (limit === unlimited) return 'unlimited'
  return of === 'bytes' ? formatSize(limit) : number(limit)
}

/** A count, with or without a comma or a space between thousands. */
function count(text: string): number | undefined {
  if (!/^(\d+|\d{1,3}([, ]\d{3})+)$/.test(text)) return undefined
  const value = Number(text.replaceAll(/[, ]/g, ''))
  return Number.isSafeInteger(value) ? value : undefined
}
