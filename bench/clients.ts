import { join } from 'node:path'
import { Failure } from './failure.ts'

/** Runs one of our clients, each a process of its own, so that making the load costs nothing in this one; returns what it says. */
export async function runClient(file: string, job: unknown, stop: AbortSignal): Promise<string> {
  const command = [process.execPath, join(import.meta.dir, file)]
  const { output, errors, exitCode } = await runProgram(command, stop, JSON.stringify(job))
  if (exitCode !== 0) throw new Failure(errors.trim() || `${file} ended with ${exitCode}`)
  return output
}

/** In a client: does the job from standard input and says the result as JSON. */
export async function doJob<Job>(work: (job: Job) => Promise<unknown>): Promise<void> {
  try {
    console.log(JSON.stringify(await work((await Bun.stdin.json()) as Job)))
    process.exit(0)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}

export async function runProgram(command: string[], stop: AbortSignal, input = '') {
  stop.throwIfAborted()
  const child = Bun.spawn(command, { stdin: Buffer.from(input), stdout: 'pipe', stderr: 'pipe', signal: stop })
  const [output, errors, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  stop.throwIfAborted()
  return { output, errors, exitCode }
}
