import { Problem } from '../problems.ts'
import type { HttpParts } from './parts.ts'

/** Milliseconds for which an answer of `/readyz` stands: anybody may ask, and each probe writes to the disk. */
const probeEvery = 1_000
/** Milliseconds between two lines in the log that say the same. */
const tellEvery = 60_000
/** Milliseconds after which a probe that is not answered has failed. */
const probeTimeout = 3_000

type Written = 'database' | 'storage'

/** `/healthz`: the process answers. `/readyz`: database and storage can be written. */
export class Health {
  readonly #parts: HttpParts
  /** When it was last said of each that it cannot be written, by a clock that runs on. */
  readonly #told = new Map<string, number>()
  #last: { at: number; result: Promise<Written[]> } | undefined

  constructor(parts: HttpParts) {
    this.#parts = parts
  }

  alive(): Response {
    return text(200, 'ok')
  }

  async ready(): Promise<Response> {
    const failed = await this.failing()
    return failed.length === 0 ? text(200, 'ok') : text(503, `not ready: ${failed.join(', ')} cannot be written`)
  }

  /** What cannot be written at the moment. */
  failing(): Promise<Written[]> {
    const { now } = this.#parts.registry
    if (!this.#last || Math.abs(now() - this.#last.at) >= probeEvery) this.#last = { at: now(), result: this.#probe() }
    return this.#last.result
  }

  async #probe(): Promise<Written[]> {
    const { catalogue, blobs, checkStorage } = this.#parts.registry
    let isRightStorage = false
    const probeStorage = async () => {
      await checkStorage()
      isRightStorage = true
      await blobs.probe()
    }
    const [database, storage] = await Promise.allSettled([inTime(catalogue.probe()), inTime(probeStorage())])
    // Which storage is the right one, the database knows: where it does not answer, nothing was found out about the storage.
    const isUnknown = database.status === 'rejected' && !isRightStorage && !saysWrong(storage)
    const failed: Written[] = []
    for (const [name, result] of [
      ['database', database],
      ['storage', storage],
    ] as const) {
      if (result.status === 'fulfilled') {
        this.#told.delete(name)
        continue
      }
      if (name === 'storage' && isUnknown) continue
      failed.push(name)
      const reason = result.reason instanceof Error ? result.reason : new Error(String(result.reason))
      if (this.#mayTell(name)) {
        this.#parts.log.error(
          { err: reason, 'problem.cause': String(reason.cause ?? '') },
          `Not ready: ${name} cannot be written`,
        )
      }
    }
    return failed
  }

  /** At once, and then each minute while it lasts: whoever asks every second need not fill the log. */
  #mayTell(name: string): boolean {
    const now = performance.now()
    if (now - (this.#told.get(name) ?? Number.NEGATIVE_INFINITY) < tellEvery) return false
    this.#told.set(name, now)
    return true
  }
}

/** A problem that has no other one below it: the storage itself answered, and is not the right one. */
function saysWrong(storage: PromiseSettledResult<void>): boolean {
  return storage.status === 'rejected' && storage.reason instanceof Problem && storage.reason.cause === undefined
}

async function inTime(probe: Promise<void>): Promise<void> {
  let timer: Timer | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${probeTimeout / 1000} s`)), probeTimeout)
  })
  try {
    await Promise.race([probe, late])
  } finally {
    clearTimeout(timer)
  }
}

function text(status: number, sentence: string): Response {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' }
  return new Response(`${sentence}\n`, { status, headers })
}
