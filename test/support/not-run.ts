import { appendFileSync } from 'node:fs'

/** Names what is left out here: loudly, and once more on the line that `npm test` and `.ci/run` end with. */
export function notRun(what: string): void {
  console.warn(`NOT RUN: ${what}`)
  if (process.env.TEST_NOT_RUN) appendFileSync(process.env.TEST_NOT_RUN, `${what}\n`)
}
