import { type ParseArgsConfig, parseArgs } from 'node:util'

/** What was typed cannot be taken; the exit code is 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Reads a command's options; each command also has `--help`. */
export function readArguments<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Options,
) {
  try {
    return parseArgs({ args, options: { ...options, help: { type: 'boolean', short: 'h' } }, strict: true }).values
  } catch (error) {
    const sentence = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error)
    // An address may hold a password, and what is said of it may end up in a log.
    throw new UsageError(sentence.includes('://') ? 'An address must stand behind the option that takes it' : sentence)
  }
}
