import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { DigestAnswer, DigestQuestion } from './file-digests.ts'

/*
 * Digests of files, beside the thread that shows the page. A file is read piece by piece, so none is ever held as a whole, and
 * several take turns.
 */

/** Bytes of a piece. */
const piece = 1024 * 1024

const unwanted = new Set<number>()

addEventListener('message', ({ data }: MessageEvent<DigestQuestion>) => {
  if (data.kind === 'forget') unwanted.add(data.id)
  else void digest(data)
})

async function digest({ id, file }: { id: number; file: File }): Promise<void> {
  const answer = (message: DigestAnswer) => postMessage(message)
  try {
    const running = sha256.create()
    for (let at = 0; at < file.size; at += piece) {
      if (unwanted.has(id)) return
      running.update(new Uint8Array(await file.slice(at, at + piece).arrayBuffer()))
      answer({ kind: 'read', id, bytes: Math.min(at + piece, file.size) })
    }
    answer({ kind: 'digest', id, sha256: bytesToHex(running.digest()) })
  } catch {
    answer({ kind: 'unreadable', id })
  } finally {
    unwanted.delete(id)
  }
}
