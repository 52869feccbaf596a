import fs from 'node:fs'

/** An open file or folder, by its number. */
export type Handle = number

/** Every call that the file system store makes to the system, so that a test can make each one fail. */
export interface FileCalls {
  open(path: string, flags: number, mode: number): Promise<Handle>
  /** Writes after what was written before; answers how many bytes went, which can be fewer than given. */
  write(handle: Handle, bytes: Uint8Array): Promise<number>
  read(handle: Handle, bytes: Uint8Array, position: number): Promise<number>
  fdatasync(handle: Handle): Promise<void>
  fsync(handle: Handle): Promise<void>
  close(handle: Handle): Promise<void>
  unlink(path: string): Promise<void>
  mkdir(path: string, mode: number): Promise<void>
  rmdir(path: string): Promise<void>
  readdir(path: string): Promise<string[]>
  /** Bytes of a file; undefined when it is not there. */
  size(path: string): Promise<number | undefined>
  /** Bytes of the file system that a path lies on. */
  space(path: string): Promise<{ free: number; total: number }>
}

/** Measured: `FileHandle`s cost the same as numbers within noise, and a number leaves nothing to the garbage collector. */
export const systemCalls: FileCalls = {
  open: (path, flags, mode) => called((done) => fs.open(path, flags, mode, done)),
  write: (handle, bytes) => called((done) => fs.write(handle, bytes, 0, bytes.length, null, done)),
  read: (handle, bytes, position) => called((done) => fs.read(handle, bytes, 0, bytes.length, position, done)),
  fdatasync: (handle) => called((done) => fs.fdatasync(handle, done)),
  fsync: (handle) => called((done) => fs.fsync(handle, done)),
  close: (handle) => called((done) => fs.close(handle, done)),
  unlink: (path) => called((done) => fs.unlink(path, done)),
  mkdir: (path, mode) => called((done) => fs.mkdir(path, mode, done)),
  rmdir: (path) => called((done) => fs.rmdir(path, done)),
  readdir: (path) => called((done) => fs.readdir(path, done)),
  size: async (path) => {
    const found = await called<fs.Stats>((done) => fs.stat(path, done)).catch((error) => {
      if (errno(error) === 'ENOENT') return undefined
      throw error
    })
    return found?.isFile() ? found.size : undefined
  },
  space: async (path) => {
    const { bsize, bavail, blocks } = await called<fs.StatsFs>((done) => fs.statfs(path, done))
    return { free: bavail * bsize, total: blocks * bsize }
  },
}

type Done<Result> = (error: NodeJS.ErrnoException | null, result?: Result) => void

function called<Result>(call: (done: Done<Result>) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result as Result)))
  })
}

export async function writeAll(calls: FileCalls, handle: Handle, bytes: Uint8Array): Promise<void> {
  let rest = bytes
  while (rest.length > 0) {
    const written = await calls.write(handle, rest)
    if (written === 0) throw Object.assign(new Error('a write took no bytes'), { code: 'EIO' })
    rest = rest.subarray(written)
  }
}

/** The system's short name of a failure, such as `ENOENT`. */
export function errno(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  // The runtime's own complaints look alike, and are bugs: ERR_INVALID_ARG_TYPE.
  return typeof code === 'string' && /^E(?!RR_)/.test(code) ? code : undefined
}

/** Waits for a call for which some failures are as good as success. */
export async function unless(fine: readonly string[], call: Promise<void>): Promise<void> {
  try {
    await call
  } catch (error) {
    if (!fine.includes(errno(error) ?? '')) throw error
  }
}
