import { SettingsError } from './config.ts'
import { Problem } from './problems.ts'

/** For a process that could not start: what its user can mend is one sentence, everything else tells where it happened. */
export function endWithReason(error: unknown): never {
  if (error instanceof SettingsError || error instanceof Problem) {
    process.stderr.write(`${error.message}\n`)
  } else {
    process.stderr.write(`Stowage could not start: ${error instanceof Error ? error.stack : String(error)}\n`)
  }
  process.exit(1)
}
