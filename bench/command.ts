import { Failure } from './failure.ts'

/** Runs a benchmark as a command: prints its help, or what went wrong; a signal ends it as a failure, so that all is removed. */
export async function runCommand<Options>(
  help: string,
  readOptions: () => Options | 'help',
  run: (options: Options, stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort(new Failure('Interrupted.')))
  }
  try {
    const options = readOptions()
    if (options === 'help') console.log(help.trimEnd())
    else await run(options, stop.signal)
  } catch (error) {
    console.error(error instanceof Failure ? error.message : error)
    process.exitCode = 1
  }
}
