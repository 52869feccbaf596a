import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { readFile, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type TOTP, URI } from 'otpauth'
import { behindItsBack, databaseSettings, onPostgres } from '../support/database.ts'
import { environmentWithoutOurs, temporaryFolder } from '../support/server-process.ts'
import { basic, Client, startStowage } from '../support/stowage.ts'

const root = new URL('../..', import.meta.url).pathname

/** What the command has to say, on the data of that folder. */
async function forgetSecrets(args: string[], settings: Record<string, string>) {
  const child = Bun.spawn([process.execPath, 'cli/stowage.ts', 'forget-secrets', ...args], {
    cwd: root,
    env: { ...environmentWithoutOurs(), ...settings },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [output, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { exitCode: await child.exited, output, errors }
}

const settingsFor = async (path: string) => ({ STOWAGE_DATA_DIR: path, ...(await databaseSettings(path)) })

const byPassword = (url: string) => new Client(url, 'bo', { Authorization: basic('bo', 'bo-Pass-1234') })
const whoAmI = (url: string) => byPassword(url).fetch('/api/v1/user')

/** A stopped installation in which Bo has a second factor, and Cy has begun one. */
async function installation(dataDir: string): Promise<void> {
  const server = await startStowage({ dataDir })
  const bo = await server.user('bo')
  const { url } = (await (await bo.post('/api/v1/user/totp', {})).json()) as { url: string }
  const confirmed = await bo.post('/api/v1/user/totp/confirm', { code: (URI.parse(url) as TOTP).generate() })
  expect(confirmed.status).toBe(200)
  const cy = await server.user('cy')
  expect((await cy.post('/api/v1/user/totp', {})).status).toBe(201)
  for (const secret of ['known to both', '']) {
    const config = { url: 'https://hooks.example.com/', content_type: 'json', secret }
    expect((await cy.post('/api/v1/user/hooks', { type: 'gitea', active: true, config })).status).toBe(201)
  }
  await server.stop()
}

describe('the secret key', () => {
  test('of the first start is needed at every later one; forget-secrets goes on without, and says what was lost', async () => {
    await using folder = await temporaryFolder()
    await installation(folder.path)
    const file = join(folder.path, 'secret-key')
    const key = (await readFile(file, 'utf8')).trim()
    const start = (settings: Record<string, string> = {}) => startStowage({ dataDir: folder.path, settings })

    // The same key by another way is the same key.
    await rename(file, `${file}.away`)
    {
      await using server = await start({ STOWAGE_SECRET_KEY: key })
      expect((await whoAmI(server.url)).status).toBe(401)
    }
    expect(existsSync(file)).toBe(false)
    await expect(start({ STOWAGE_SECRET_KEY: 'another key, of more than 32 characters' })).rejects.toThrow(
      /Set STOWAGE_SECRET_KEY .* npm run stowage -- forget-secrets/,
    )
    // A key that was lost is not made again without a word.
    await expect(start()).rejects.toThrow(/secret-key is missing.* Put the file back from a backup/)
    expect(existsSync(file)).toBe(false)

    // It says what would be lost, and changes nothing.
    const settings = await settingsFor(folder.path)
    const asked = await forgetSecrets([], settings)
    expect({ exitCode: asked.exitCode, output: asked.output }).toEqual({ exitCode: 1, output: '' })
    expect(asked.errors).toContain('the second factor of 1 account, 1 unconfirmed second factor, 0 open links')
    expect(asked.errors).toContain('and the secrets of 1 webhook.')
    expect(asked.errors).toContain('--yes')
    await expect(start()).rejects.toThrow('is missing')

    const done = await forgetSecrets(['--yes'], settings)
    expect(done).toMatchObject({ exitCode: 0, errors: '' })
    expect(done.output).toContain('Removed the second factor of 1 account, 1 unconfirmed second factor')
    expect(done.output).toContain('1 account can now sign in with the password alone')
    {
      await using server = await start()
      expect((await whoAmI(server.url)).status).toBe(200)
      const status = await byPassword(server.url).fetch('/api/v1/user/totp')
      expect(await status.json()).toEqual({ enabled: false, recovery_codes_left: 0 })
    }
    for (const table of ['recovery_codes', 'totp_enrolments', 'sessions', 'links']) {
      expect(await behindItsBack(folder.path, `select * from ${table}`)).toEqual([])
    }
    expect(await behindItsBack(folder.path, 'select secret, is_active from webhooks order by id')).toEqual([
      { secret: null, is_active: 0 },
      { secret: null, is_active: 1 },
    ])
    await expect(start({ STOWAGE_SECRET_KEY: key })).rejects.toThrow('another secret key')
  })

  const testOnPostgres = onPostgres ? test : test.skip
  testOnPostgres(
    'of the first server is asked for where another one starts on a data directory of its own',
    async () => {
      await using first = await startStowage()
      await using folder = await temporaryFolder()
      await symlink(join(first.dataDir, 'blobs'), join(folder.path, 'blobs'))
      const settings = await databaseSettings(first.dataDir)
      await expect(startStowage({ dataDir: folder.path, settings, nodes: 1 })).rejects.toThrow(
        /^This is not the first server of this database: set STOWAGE_SECRET_KEY to the first one's key .* forget-secrets/,
      )
    },
  )

  test('is not forgotten while a server runs, nor where there is no installation', async () => {
    await using server = await startStowage()
    const settings = await settingsFor(server.dataDir)
    const beside = await forgetSecrets(['--yes'], settings)
    expect(beside.exitCode).toBe(1)
    expect(beside.errors).toMatch(/another stowage server/i)
    await using elsewhere = await temporaryFolder()
    const other = await forgetSecrets(['--yes'], { ...settings, STOWAGE_DATA_DIR: elsewhere.path })
    expect(other.exitCode).toBe(1)
    expect(other.errors).toContain(onPostgres ? 'Stop every server' : `There is no Stowage data in ${elsewhere.path}`)
    expect((await server.admin.put({}, 'x')).status).toBe(201)
  })
})
