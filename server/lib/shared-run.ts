/**
 * Work that is done for all together who asked for it before it began: never twice at once, and nobody gets a result that is
 * older than his question.
 */
export class SharedRun<Result> {
  #running: Promise<Result> | undefined
  #next: Promise<Result> | undefined

  ask(work: () => Promise<Result>): Promise<Result> {
    if (this.#running === undefined) return this.#begin(work)
    const begin = () => this.#begin(work)
    this.#next ??= this.#running.then(begin, begin)
    return this.#next
  }

  #begin(work: () => Promise<Result>): Promise<Result> {
    this.#next = undefined
    const running = work()
    this.#running = running
    const ended = () => {
      if (this.#running === running) this.#running = undefined
    }
    running.then(ended, ended)
    return running
  }
}
