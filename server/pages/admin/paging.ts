import { pageOf } from '../../http/api/answers.ts'

/** Rows of a list. */
const limit = 30

/** The page that an address asks for. */
export function pageAsked(url: string): { page: number; limit: number; offset: number } {
  const { page } = pageOf(new URL(url))
  return { page, limit, offset: (page - 1) * limit }
}
