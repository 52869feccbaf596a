import { z } from 'zod'
import { Problem } from '../../problems.ts'
import type { Digests } from '../../registry/search.ts'

/** Hexadecimal digits of each. */
const lengths = { sha256: 64, sha1: 40, md5: 32, sha512: 128 } as const

const algorithms = Object.keys(lengths) as (keyof typeof lengths)[]

/** For `documented`: the parameters that `digestsFrom` reads. */
export const digestParameters = Object.fromEntries(
  algorithms.map((algorithm) => {
    const schema = z.string().regex(new RegExp(`^[0-9A-Fa-f]{${lengths[algorithm]}}$`))
    return [algorithm, { description: 'Hexadecimal. Only versions with a file that has it.', schema }]
  }),
)

/** The digests of a query, in lower case; undefined where there is none, `unprocessable` where one can be no digest. */
export function digestsFrom(ask: (name: string) => string | undefined): Digests | undefined {
  const digests: Digests = {}
  for (const algorithm of algorithms) {
    const text = ask(algorithm)
    if (!text) continue
    const digits = lengths[algorithm]
    if (text.length !== digits || !/^[0-9A-Fa-f]+$/.test(text)) {
      throw new Problem('unprocessable', `${algorithm}: must be ${digits} hexadecimal digits`)
    }
    digests[algorithm] = text.toLowerCase()
  }
  return Object.keys(digests).length > 0 ? digests : undefined
}
