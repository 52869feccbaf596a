/**
 * One folder's fsync, shared by all who created a file in the folder before it began.
 *
 * After a failure the kernel may hold the lost entries for clean, and a second fsync would report a success that is
 * none. So a failure stays: everybody who comes later gets it too, and must go to another folder.
 */
export class FolderSync {
  readonly #sync: () => Promise<void>
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #failure: { error: unknown } | undefined

  constructor(sync: () => Promise<void>) {
    this.#sync = sync
  }

  /** Resolves when every file created in the folder before this call can be found after a crash. */
  join(): Promise<void> {
    // Never the running one: it may have begun before the caller's file was there.
    if (this.#running === undefined) return this.#begin()
    this.#next ??= this.#running.then(
      () => this.#begin(),
      () => this.#begin(),
    )
    return this.#next
  }

  #begin(): Promise<void> {
    this.#next = undefined
    const running = this.#run()
    this.#running = running
    const ended = () => {
      if (this.#running === running) this.#running = undefined
    }
    running.then(ended, ended)
    return running
  }

  async #run(): Promise<void> {
    if (this.#failure) throw this.#failure.error
    try {
      await this.#sync()
    } catch (error) {
      this.#failure = { error }
      throw error
    }
  }
}
