import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runProgram } from '../clients.ts'
import type { Bench } from '../row.ts'
import { fill } from './fill.ts'
import { million } from './site.ts'

/** Bytes of the files, a block each, and of the catalogue. */
export const millionSpace = 8e9

/** Whether such a directory was kept by a run before. */
export function hasMillion(keep: string | undefined): boolean {
  return keep !== undefined && existsSync(markerIn(keep))
}

/** Written at the very end: what was broken off is begun anew. */
const markerIn = (folder: string) => join(folder, 'million', 'complete')

/** A data directory with a million files: made by the first row that asks, or kept by a run before. */
export async function millionDataDir(bench: Bench): Promise<string> {
  const folder = bench.keep ?? bench.folder
  const dataDir = join(folder, 'million', 'data')
  if (existsSync(markerIn(folder))) return dataDir
  await rm(join(folder, 'million'), { recursive: true, force: true })
  await mkdir(dataDir, { recursive: true })
  // The server itself makes its catalogue, its account and what else it needs.
  await (await bench.startStowage(dataDir))[Symbol.asyncDispose]()
  await fill(dataDir, million, bench.stop, (files) => {
    if (files % 102_400 < 4096) bench.progress(`making 1,000,000 files: ${files.toLocaleString('en')}`)
  })
  bench.progress('making 1,000,000 files: until all are on disk')
  await runProgram(['sync'], bench.stop)
  await writeFile(markerIn(folder), '')
  return dataDir
}
