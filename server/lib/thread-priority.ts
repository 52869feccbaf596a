import { getPriority, setPriority } from 'node:os'

/** Makes the calling thread less important than those for which somebody waits. */
export function yieldToOthers(): void {
  // Linux takes this for the calling thread alone.
  if (process.platform !== 'linux') return
  try {
    setPriority(Math.max(5, getPriority()))
  } catch {
    // Where the system forbids it, this thread is as important as the others.
  }
}
