import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'

/** Where tests put their data: memory when there is plenty, since each of them waits for the disk dozens of times. */
export async function roomyPlace(): Promise<string> {
  const memory = '/dev/shm'
  const free = await statfs(memory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  )
  return free > 2 * 1024 ** 3 ? memory : tmpdir()
}
