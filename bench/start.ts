import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startNginx } from './nginx.ts'
import type { Server } from './servers.ts'
import { type Stowage, startStowage } from './stowage.ts'

export interface StarterOptions {
  /** The Stowage server's main file. */
  readonly entry: string
  /** Undefined where it is not installed. */
  readonly nginx: string | undefined
  readonly folder: string
  readonly stop: AbortSignal
}

/** Starts servers in a folder; what they stored there is removed when they end. */
export class Starter {
  readonly #options: StarterOptions
  #number = 0
  readonly #lastLines = new Map<string, string>()

  constructor(options: StarterOptions) {
    this.#options = options
  }

  async stowage(dataDir?: string): Promise<Stowage> {
    const place = await this.#newPlace()
    return this.#ending(place, await startStowage(this.#options.entry, place, this.#options.stop, dataDir))
  }

  async nginx(root?: string): Promise<Server | undefined> {
    const { nginx, stop } = this.#options
    if (nginx === undefined) return undefined
    const place = await this.#newPlace()
    return this.#ending(place, await startNginx(nginx, place, stop, root))
  }

  /** What the last servers said that have ended. */
  lastLines(): string {
    return [...this.#lastLines].map(([name, lines]) => lines && `The last lines of ${name}:\n${lines}\n`).join('')
  }

  async #newPlace(): Promise<string> {
    this.#number += 1
    const place = join(this.#options.folder, String(this.#number))
    await mkdir(place)
    return place
  }

  #ending<S extends Server>(place: string, server: S): S {
    const end = async () => {
      await server[Symbol.asyncDispose]()
      this.#lastLines.set(server.name, server.lastLines())
      await rm(place, { recursive: true, force: true })
    }
    return { ...server, [Symbol.asyncDispose]: end }
  }
}
