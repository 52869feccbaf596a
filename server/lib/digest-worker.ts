import { closeSync, openSync, readSync } from 'node:fs'
import type { DigestAlgorithm, Digests } from './digests.ts'
import { RunningDigests } from './digests.ts'
import { yieldToOthers } from './thread-priority.ts'

/** What `digest-thread.ts` asks of this thread, one file at a time. */
export interface DigestQuestion {
  path: string
  algorithms: readonly DigestAlgorithm[]
}

export type DigestAnswer = { digests: Partial<Digests> } | { failure: { message: string; code: string | undefined } }

declare const self: Worker

yieldToOthers()

/** Kept from file to file, as there is only ever one at a time. */
const piece = Buffer.allocUnsafeSlow(256 * 1024)

self.onmessage = (event: MessageEvent<DigestQuestion>) => self.postMessage(answer(event.data))

function answer({ path, algorithms }: DigestQuestion): DigestAnswer {
  try {
    return { digests: digestsOf(path, algorithms) }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    return { failure: { message, code } }
  }
}

/** Synchronous: this thread has nothing else to do, and a small file costs a fraction of four calls to other threads. */
function digestsOf(path: string, algorithms: readonly DigestAlgorithm[]): Partial<Digests> {
  const digests = new RunningDigests(algorithms)
  const file = openSync(path, 'r')
  try {
    for (;;) {
      const bytesRead = readSync(file, piece, 0, piece.length, null)
      if (bytesRead === 0) return digests.finish()
      digests.update(piece.subarray(0, bytesRead))
    }
  } finally {
    closeSync(file)
  }
}
