import { readFileSync, writeFileSync } from 'node:fs'

/** Ways in which JavaScript copies bytes, as `copied-bytes.preload.ts` counts them on the main thread. */
export const waysToCopy = [
  'TypedArray.set',
  'TypedArray.slice',
  'TypedArray.copyWithin',
  'Uint8Array.from',
  'new Uint8Array',
  'new Blob',
  'ArrayBuffer.slice',
  'Buffer.from',
  'Buffer.concat',
  'Buffer.copy',
  'Buffer.copyBytesFrom',
  'Buffer.toString',
  'Buffer.write',
  'TextEncoder.encode',
  'TextEncoder.encodeInto',
  'TextDecoder.decode',
  'Blob.arrayBuffer',
  'Blob.bytes',
  'Blob.text',
  'Request.arrayBuffer',
  'Request.bytes',
  'Request.text',
  'Response.arrayBuffer',
  'Response.bytes',
  'Response.text',
  'postMessage',
] as const

export type WayToCopy = (typeof waysToCopy)[number]

/** Where a process is told which file to count in. */
export const copiedBytesFile = 'TEST_COPIED_BYTES'

/** Counts what a server process copies: it is started with these settings, and counts in a file that both have in memory. */
export class CopiedBytes {
  readonly settings: Record<string, string>
  readonly #file: string

  constructor(file: string) {
    writeFileSync(file, new Uint8Array(waysToCopy.length * Float64Array.BYTES_PER_ELEMENT))
    this.#file = file
    const preload = new URL('copied-bytes.preload.ts', import.meta.url).pathname
    this.settings = { BUN_OPTIONS: `--preload ${preload}`, [copiedBytesFile]: file }
  }

  /** Bytes since it began. */
  now(): Record<WayToCopy, number> {
    const counts = new Float64Array(new Uint8Array(readFileSync(this.#file)).buffer)
    return Object.fromEntries(waysToCopy.map((way, index) => [way, counts[index] ?? 0])) as Record<WayToCopy, number>
  }
}
