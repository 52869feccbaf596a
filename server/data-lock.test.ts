import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { joinDataDirectory, lockDataDirectory } from './data-lock.ts'

const folders: string[] = []

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'stowage-lock-'))
  folders.push(made)
  return made
}

afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true })
})

test('a data directory has one server, and says so to the second', () => {
  const data = folder()
  const lock = lockDataDirectory(data)
  expect(() => lockDataDirectory(data)).toThrow(
    expect.objectContaining({ name: 'Problem', code: 'storage-unavailable', message: expect.stringContaining(data) }),
  )
  lock.release()
})

test('a lock that was given back can be taken', () => {
  const data = folder()
  lockDataDirectory(data).release()
  lockDataDirectory(data).release()
})

test('a refused lock takes nothing from the one that is held', () => {
  const data = folder()
  const lock = lockDataDirectory(data)
  for (let attempt = 0; attempt < 3; attempt++) expect(() => lockDataDirectory(data)).toThrow()
  lock.release()
  lockDataDirectory(data).release()
})

test('two directories are two locks', () => {
  const [one, two] = [lockDataDirectory(folder()), lockDataDirectory(folder())]
  one.release()
  two.release()
})

test('a directory that is not there is another failure than one that is taken', () => {
  expect(() => lockDataDirectory(join(folder(), 'nowhere'))).toThrow(expect.not.objectContaining({ name: 'Problem' }))
})

test('workers join one that is shared, and it is still held when they alone are left', () => {
  const data = folder()
  const taken = expect.objectContaining({ code: 'storage-unavailable' })
  const lock = lockDataDirectory(data)
  expect(() => joinDataDirectory(data)).toThrow(taken)
  lock.share()
  const workers = [joinDataDirectory(data), joinDataDirectory(data)]
  expect(() => lockDataDirectory(data)).toThrow(taken)
  workers.pop()?.release()
  // As where the server is killed, which its worker has not noticed.
  lock.release()
  expect(() => lockDataDirectory(data, 10)).toThrow(taken)
  workers.pop()?.release()
  lockDataDirectory(data).release()
})

test('another process has the lock until it is killed', async () => {
  const data = folder()
  const module = new URL('./data-lock.ts', import.meta.url).href
  const program = `
    const { lockDataDirectory } = await import(${JSON.stringify(module)})
    globalThis.lock = lockDataDirectory(${JSON.stringify(data)})
    console.log('locked')
    setInterval(() => {}, 60_000)
  `
  const holder = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' })
  try {
    const { value } = await holder.stdout.getReader().read()
    expect(Buffer.from(value ?? []).toString()).toBe('locked\n')
    expect(() => lockDataDirectory(data)).toThrow(expect.objectContaining({ code: 'storage-unavailable' }))
  } finally {
    holder.kill('SIGKILL')
    await holder.exited
  }
  lockDataDirectory(data).release()
})
