/** Something that is done again and again, never twice at once. */
export interface Task {
  name: string
  /** Milliseconds between the end of one run and the beginning of the next. */
  every: number
  run: (signal: AbortSignal) => Promise<unknown>
  /** Told when it is woken while it runs, beside being run once more: what came may not have to wait for that. */
  nudge?: () => void
}

/** Runs tasks on the clock, and at once when woken. */
export class Schedule {
  readonly #stopping = new AbortController()
  readonly #failed: (task: Task, error: unknown) => void
  readonly #states = new Map<string, { task: Task; running?: Promise<void>; again: boolean; timer?: Timer }>()

  constructor(tasks: readonly Task[], failed: (task: Task, error: unknown) => void) {
    this.#failed = failed
    for (const task of tasks) this.#states.set(task.name, { task, again: false })
  }

  start(): void {
    for (const name of this.#states.keys()) this.wake(name)
  }

  /** Runs the task now; once more when it is running already. */
  wake(name: string): void {
    const state = this.#states.get(name)
    if (!state || this.#stopping.signal.aborted) return
    if (state.running) {
      state.again = true
      state.task.nudge?.()
      return
    }
    clearTimeout(state.timer)
    state.running = this.#run(state.task).finally(() => {
      delete state.running
      if (this.#stopping.signal.aborted) return
      if (state.again) {
        state.again = false
        this.wake(name)
        return
      }
      state.timer = setTimeout(() => this.wake(name), state.task.every)
      state.timer.unref()
    })
  }

  /** Resolves when what runs has ended; nothing begins any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const state of this.#states.values()) clearTimeout(state.timer)
    await Promise.all([...this.#states.values()].map((state) => state.running))
  }

  async #run(task: Task): Promise<void> {
    try {
      await task.run(this.#stopping.signal)
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#failed(task, error)
    }
  }
}
