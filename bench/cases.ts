const KiB = 1024
const MiB = 1024 * KiB

export interface Case {
  readonly method: 'GET' | 'PUT'
  /** Bytes in one file. */
  readonly size: number
  readonly clients: number
}

export const cases: readonly Case[] = [
  { method: 'GET', size: 1 * KiB, clients: 1 },
  { method: 'GET', size: 1 * KiB, clients: 16 },
  { method: 'GET', size: 1 * KiB, clients: 64 },
  { method: 'GET', size: 64 * KiB, clients: 1 },
  { method: 'GET', size: 64 * KiB, clients: 16 },
  { method: 'GET', size: 1 * MiB, clients: 1 },
  { method: 'GET', size: 1 * MiB, clients: 16 },
  { method: 'GET', size: 64 * MiB, clients: 1 },
  { method: 'GET', size: 64 * MiB, clients: 16 },
  { method: 'PUT', size: 4 * KiB, clients: 1 },
  { method: 'PUT', size: 4 * KiB, clients: 16 },
  { method: 'PUT', size: 1 * MiB, clients: 4 },
  { method: 'PUT', size: 256 * MiB, clients: 1 },
]

export const sizeName = (bytes: number) => (bytes < MiB ? `${bytes / KiB} KiB` : `${bytes / MiB} MiB`)
export const caseName = (c: Case) => `${c.method} ${sizeName(c.size)} x${c.clients}`

/** From here on what counts is bytes: cost is given per MB, and a transfer that was cut off by the clock still counts. */
export const isLarge = (c: Case) => c.size >= MiB

/** One measurement never writes more than this, however fast the disk is. */
const mostBytesPerMeasurement = 256 * MiB
const mostPutsPerMeasurement = 10_000
export const mostPuts = (c: Case) =>
  Math.max(1, Math.min(mostPutsPerMeasurement, Math.floor(mostBytesPerMeasurement / c.size)))

/**
 * Disk space that the chosen cases may fill on both sides together. Nothing is removed before the end: a file system that
 * has just removed many files is slower at making new ones. One round more is for warming up, and a small file takes a
 * disk block or two more than its size.
 */
export function diskSpaceNeeded(chosen: readonly Case[], rounds: number): number {
  const ofOneSide = chosen.map((c) => (c.method === 'GET' ? c.size : mostPuts(c) * (c.size + 8 * KiB) * (rounds + 1)))
  return 2 * ofOneSide.reduce((sum, bytes) => sum + bytes, 0)
}
