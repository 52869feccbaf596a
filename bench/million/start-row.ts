import { inTurns } from '../rounds.ts'
import type { Row } from '../row.ts'
import { millionDataDir } from './data-dir.ts'

const name = 'start with 1,000,000 files'

/** From the start of the process to the line that says where it listens. */
export const startRow: Row = {
  name,
  against: undefined,
  unit: 's',
  cpuPer: 'req',
  target: { atMost: 0.5 },
  diskSpace: () => 0,
  measure: async (bench) => {
    const dataDir = await millionDataDir(bench)
    const turn = async () => {
      await using stowage = await bench.startStowage(dataDir)
      return { value: stowage.startSeconds, cpu: undefined }
    }
    await turn() // Reads from disk what the others find in memory.
    return inTurns(bench, name, { name: 'Stowage', turn }, undefined)
  },
}
