import { open } from 'node:fs/promises'
import type { DigestAlgorithm, Digests } from './digests.ts'
import { RunningDigests } from './digests.ts'

/** What `digest-thread.ts` asks of this thread, one file at a time. */
export interface DigestQuestion {
  path: string
  algorithms: readonly DigestAlgorithm[]
}

export type DigestAnswer = { digests: Partial<Digests> } | { failure: { message: string; code: string | undefined } }

declare const self: Worker

const pieceSize = 1024 * 1024
/** Kept from file to file, as there is only ever one at a time. */
const pieces = [Buffer.allocUnsafeSlow(pieceSize), Buffer.allocUnsafeSlow(pieceSize)] as const

self.onmessage = async (event: MessageEvent<DigestQuestion>) => {
  self.postMessage(await answer(event.data))
}

async function answer({ path, algorithms }: DigestQuestion): Promise<DigestAnswer> {
  try {
    return { digests: await digestsOf(path, algorithms) }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    return { failure: { message, code } }
  }
}

async function digestsOf(path: string, algorithms: readonly DigestAlgorithm[]): Promise<Partial<Digests>> {
  const digests = new RunningDigests(algorithms)
  await using file = await open(path, 'r')
  let [piece, other] = pieces
  let reading = file.read(piece, 0, pieceSize, null)
  for (;;) {
    const { bytesRead } = await reading
    if (bytesRead === 0) return digests.finish()
    // The next piece is read while this one is hashed.
    reading = file.read(other, 0, pieceSize, null)
    digests.update(piece.subarray(0, bytesRead))
    ;[piece, other] = [other, piece]
  }
}
