import type { Subprocess } from 'bun'

/** A program that ends with this process, however that ends: a shell waits for that in its place. */
export class TiedProcess {
  readonly #shell: Subprocess<'pipe', 'pipe' | 'ignore', 'inherit' | 'ignore'>

  /** `ending`: what it gets; `TERM` where it has processes of its own to end. */
  constructor(
    command: readonly string[],
    { cwd, isHeard = false, ending = 'KILL' }: { cwd?: string; isHeard?: boolean; ending?: 'KILL' | 'TERM' } = {},
  ) {
    const script = `"$@" & read -r _; kill -${ending} $!; wait $!`
    this.#shell = Bun.spawn(['sh', '-c', script, 'sh', ...command], {
      stdin: 'pipe',
      stdout: isHeard ? 'pipe' : 'ignore',
      stderr: isHeard ? 'inherit' : 'ignore',
      ...(cwd === undefined ? {} : { cwd }),
    })
  }

  /** What it writes, where it is heard. */
  get output(): ReadableStream<Uint8Array> {
    const { stdout } = this.#shell
    if (!stdout) throw new Error('The program is not heard.')
    return stdout as ReadableStream<Uint8Array>
  }

  async end(): Promise<void> {
    await this.#shell.stdin.end()
    await this.#shell.exited
  }
}
