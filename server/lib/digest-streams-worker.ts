import type { DigestAlgorithm, Digests } from './digests.ts'
import { RunningDigests } from './digests.ts'
import { yieldToOthers } from './thread-priority.ts'

/** What `digest-streams.ts` asks of this thread, for any number of streams at once. */
export type StreamQuestion =
  | { id: number; algorithms: readonly DigestAlgorithm[] }
  | { id: number; bytes: Uint8Array<ArrayBuffer> }
  | { id: number; isEnd: true }

export type StreamAnswer = { id: number; taken: number } | { id: number; digests: Partial<Digests> }

declare const self: Worker

yieldToOthers()

const running = new Map<number, RunningDigests>()

self.onmessage = ({ data }: MessageEvent<StreamQuestion>) => {
  const { id } = data
  if ('algorithms' in data) {
    running.set(id, new RunningDigests(data.algorithms))
  } else if ('bytes' in data) {
    const { length: taken } = data.bytes
    running.get(id)?.update(data.bytes)
    // Not when this thread gets round to collecting garbage: until then it could be many of them.
    data.bytes.buffer.transfer(0)
    self.postMessage({ id, taken })
  } else {
    self.postMessage({ id, digests: running.get(id)?.finish() ?? {} })
    running.delete(id)
  }
}
