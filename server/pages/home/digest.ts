import type { Digests } from '../../registry/search.ts'

const algorithms = { 32: 'md5', 40: 'sha1', 64: 'sha256', 128: 'sha512' } as const

/** What was typed, taken for a digest; undefined where it can be none. */
export function digestIn(text: string): Digests | undefined {
  const algorithm = algorithms[text.length as keyof typeof algorithms]
  return algorithm && /^[0-9a-f]+$/i.test(text) ? { [algorithm]: text.toLowerCase() } : undefined
}
