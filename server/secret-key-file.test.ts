import { describe, expect, test } from 'bun:test'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { secretKey } from './secret-key-file.ts'

async function dataFolder() {
  const dataDir = await mkdtemp(join(tmpdir(), 'stowage-test-'))
  return {
    dataDir,
    file: join(dataDir, 'secret-key'),
    /** What the server's start gets. */
    key: (setting?: string) => secretKey({ secretKey: setting, dataDir }),
    [Symbol.asyncDispose]: () => rm(dataDir, { recursive: true, force: true }),
  }
}

const settingsError = (sentence: string) =>
  expect.objectContaining({ name: 'SettingsError', message: expect.stringContaining(sentence) })

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777
}

describe('without the setting', () => {
  test('the first start makes a key that only the server can read, and every later one finds it', async () => {
    await using data = await dataFolder()
    const key = await data.key()
    expect(key).toMatch(/^[\w-]{43}$/)
    expect(await readFile(data.file, 'utf8')).toBe(`${key}\n`)
    expect(await modeOf(data.file)).toBe(0o600)
    expect(await data.key()).toBe(key)
    expect(await readdir(data.dataDir)).toEqual(['secret-key'])
  })

  test('two folders have two keys', async () => {
    await using one = await dataFolder()
    await using two = await dataFolder()
    expect(await one.key()).not.toBe(await two.key())
  })

  test('twenty starts at the same time have one key, which the file holds', async () => {
    await using data = await dataFolder()
    const keys = await Promise.all(Array.from({ length: 20 }, () => data.key()))
    expect(new Set(keys)).toEqual(new Set([(await readFile(data.file, 'utf8')).trim()]))
    expect(await readdir(data.dataDir)).toEqual(['secret-key'])
  })

  test('a key that somebody wrote is taken as it is', async () => {
    await using data = await dataFolder()
    const key = `${'own key '.repeat(4)}!`
    await writeFile(data.file, ` ${key}\r\n`)
    expect(await data.key()).toBe(key)
  })

  test('a file that others could read is made private again', async () => {
    await using data = await dataFolder()
    const key = await data.key()
    await chmod(data.file, 0o644)
    expect(await data.key()).toBe(key)
    expect(await modeOf(data.file)).toBe(0o600)
  })

  test('a file that not even its owner may write stays like that', async () => {
    await using data = await dataFolder()
    await data.key()
    await chmod(data.file, 0o400)
    await data.key()
    expect(await modeOf(data.file)).toBe(0o400)
  })

  test.each([
    ['empty', ''],
    ['empty', '\n'],
    ['too short', 'x'.repeat(31)],
    ['too short', `${'x'.repeat(31)}\n\n`],
  ])('a file that is %s (%j) stops the start, says what to do, and is left alone', async (fault, content) => {
    await using data = await dataFolder()
    await writeFile(data.file, content)
    await expect(data.key()).rejects.toThrow(settingsError(`${data.file} is ${fault}`))
    await expect(data.key()).rejects.toThrow(settingsError('from a backup'))
    await expect(data.key()).rejects.not.toThrow(settingsError('xxx'))
    expect(await readFile(data.file, 'utf8')).toBe(content)
  })

  test('what cannot be read is told apart from what is not there', async () => {
    await using data = await dataFolder()
    await mkdir(data.file)
    await expect(data.key()).rejects.toThrow(settingsError(`${data.file} cannot be used: EISDIR`))
  })

  test('a folder that is not there stops the start', async () => {
    await using data = await dataFolder()
    const nowhere = { secretKey: undefined, dataDir: join(data.dataDir, 'nowhere') }
    await expect(secretKey(nowhere)).rejects.toThrow(settingsError('nowhere/secret-key cannot be used: ENOENT'))
  })
})

describe('with the setting', () => {
  const setting = 'a key that the operator has chosen'

  test('no file is made', async () => {
    await using data = await dataFolder()
    expect(await data.key(setting)).toBe(setting)
    expect(await readdir(data.dataDir)).toEqual([])
  })

  test('a file that is there does not count, not even a broken one', async () => {
    await using data = await dataFolder()
    await writeFile(data.file, '')
    expect(await data.key(setting)).toBe(setting)
  })

  test('a key that came from the file is the same one', async () => {
    await using data = await dataFolder()
    const key = await data.key()
    expect(await data.key(await readFile(data.file, 'utf8'))).toBe(key)
  })

  test('one that is white space but for a few signs is refused, and not shown', async () => {
    await using data = await dataFolder()
    const short = `${'x'.repeat(31)}  \n`
    await expect(data.key(short)).rejects.toThrow(settingsError('STOWAGE_SECRET_KEY is [secret]'))
  })
})
