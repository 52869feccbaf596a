import type { Logger } from 'pino'
import { Allowance } from '../lib/allowance.ts'
import { networkOf } from '../lib/real-address.ts'
import { Problem } from '../problems.ts'

/** Lines for one address within a minute: whoever guesses must not fill the log. */
const linesAMinute = 10

/** Writes down from where somebody could not sign in, for whoever watches the log, or has a program shut such addresses out. */
export class RefusedSignIns {
  readonly #log: Logger
  readonly #lines: Allowance

  constructor(log: Logger, now: () => number) {
    this.#log = log
    this.#lines = new Allowance({ times: linesAMinute, within: 60_000, now })
  }

  /** Notes what `work` refuses, and throws it on. Not the name: people type passwords where names belong. */
  async watch<Result>(address: string, work: Promise<Result>): Promise<Result> {
    try {
      return await work
    } catch (error) {
      const isRefusal = error instanceof Problem && ['credentials-wrong', 'too-many-attempts'].includes(error.code)
      if (isRefusal && !this.#lines.take(networkOf(address))) {
        this.#log.warn({ 'client.address': address, 'problem.code': error.code }, `Refused a sign-in from ${address}`)
      }
      throw error
    }
  }
}
