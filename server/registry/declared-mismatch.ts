import { type Digests, digestAlgorithms, digestNames } from '../lib/digests.ts'
import { Problem } from '../problems.ts'

/**
 * The problem with an upload whose bytes are not those that were declared, judged by the strongest algorithm that
 * disagrees. Every declared digest must have been computed.
 */
export function declaredMismatch(declared: Partial<Digests>, actual: Partial<Digests>): Problem | undefined {
  for (const algorithm of digestAlgorithms.toReversed()) {
    const expected = declared[algorithm]
    if (expected === undefined) continue
    const found = actual[algorithm]
    if (found === undefined) throw new Error(`The declared ${algorithm} digest was not computed`)
    if (found === expected) continue
    const sentence = `The ${digestNames[algorithm]} digest of the upload is ${found}, but ${expected} was declared.`
    return new Problem('digest-mismatch', sentence, { algorithm, expected, actual: found })
  }
  return undefined
}
