/**
 * Every failure that Stowage expects, whoever finds it. A problem knows nothing of HTTP: `http/problem-response.ts`
 * has the one table from code to status.
 */

export type ProblemCode =
  | 'bad-request'
  | 'invalid-name'
  | 'digest-mismatch'
  | 'partial-put'
  | 'credentials-wrong'
  | 'credentials-missing'
  | 'forbidden'
  /** What is asked for has another name now. */
  | 'moved'
  | 'not-found'
  | 'method-not-allowed'
  | 'already-exists'
  | 'precondition-failed'
  | 'range-not-satisfiable'
  | 'unprocessable'
  | 'too-large'
  | 'quota-exceeded'
  | 'body-too-large'
  | 'body-incomplete'
  | 'too-many-attempts'
  /** Who vouches for a job by its ID token does not answer. */
  | 'issuer-unavailable'
  | 'storage-full'
  | 'storage-unavailable'
  | 'outcome-unknown'
  | 'out-of-touch'
  | 'stopping'

export type ProblemFacts = Record<string, string | number | boolean | null>

/** An expected failure: a code, a sentence for a person, and a few facts for a program. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly facts: ProblemFacts

  constructor(code: ProblemCode, sentence: string, facts: ProblemFacts = {}, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause })
    this.name = 'Problem'
    this.code = code
    this.facts = facts
  }
}

/** A problem as plain data, to cross from one thread to another. */
export interface PlainProblem {
  code: ProblemCode
  sentence: string
  facts: ProblemFacts
  /** What lay below, for the log only. */
  cause: string | undefined
}

export function plainProblem(problem: Problem): PlainProblem {
  const cause = problem.cause === undefined ? undefined : String(problem.cause)
  return { code: problem.code, sentence: problem.message, facts: problem.facts, cause }
}

export function problemFrom(plain: PlainProblem): Problem {
  return new Problem(plain.code, plain.sentence, plain.facts, plain.cause)
}
