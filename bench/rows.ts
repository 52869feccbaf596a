import { getRow, signedInRow } from './get-rows.ts'
import { latencyRow } from './latency-row.ts'
import { memoryRow } from './memory-row.ts'
import { randomRow } from './million/random-row.ts'
import { startRow } from './million/start-row.ts'
import { publishRow } from './publish-row.ts'
import type { Row } from './row.ts'
import { GiB, KiB, MiB } from './sizes.ts'
import { uploadRow } from './upload-rows.ts'

/** The table, in its order. 16 clients unless a row says otherwise. */
export const rows: readonly Row[] = [
  getRow({ size: KiB, target: { atLeast: 1 } }),
  signedInRow('token', KiB, { atLeast: 0.8 }),
  signedInRow('password', KiB, { atLeast: 0.8 }),
  getRow({ size: 64 * KiB, target: { atLeast: 0.8, sought: 1 } }),
  getRow({ size: MiB, target: { atLeast: 0.9 } }),
  getRow({ size: GiB, clients: 1, target: { atLeast: 1, cpuAtMost: 1.3 } }),
  getRow({ size: GiB, clients: 4, target: { atLeast: 1, cpuAtMost: 1.3 } }),
  randomRow,
  uploadRow({ name: 'PUT 1 GiB', size: GiB, files: 1, withDigests: false, target: { atLeast: 0.8 } }),
  uploadRow({ name: 'PUT 4 × 1 GiB to all digests', size: GiB, files: 4, withDigests: true, target: { atLeast: 0.5 } }),
  publishRow,
  latencyRow,
  memoryRow,
  startRow,
]

export const needsMillion = (row: Row) => row === randomRow || row === startRow
