import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { databaseSettings, onPostgres, wholeDatabase } from '../support/database.ts'
import { blobFiles } from '../support/inventory.ts'
import { testWith } from '../support/programs.ts'
import { sendRaw } from '../support/raw-socket.ts'
import { seededBytes } from '../support/seeded.ts'
import { environmentWithoutOurs, ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { adminPassword, basic, Client } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const root = new URL('../..', import.meta.url).pathname
/** As if the variable were not set: a server that makes its own password. */
const ownPassword = { STOWAGE_ADMIN_PASSWORD: '' }

interface Ended {
  exitCode: number
  output: string
  errors: string
}

async function ended(command: string[], settings: Record<string, string>, cwd = root): Promise<Ended> {
  const env = { ...environmentWithoutOurs(), ...settings }
  const child = Bun.spawn(command, { cwd, env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [output, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { exitCode: await child.exited, output, errors }
}

const startAndEnd = (settings: Record<string, string>) => ended([process.execPath, 'server/main.ts'], settings)
const stowage = (args: string[], settings: Record<string, string>) =>
  ended([process.execPath, 'cli/stowage.ts', ...args], settings)

const withPassword = (url: string, password: string) =>
  new Client(url, 'admin', { Authorization: basic('admin', password) })

/** Whether somebody takes a connection there. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

describe('settings', () => {
  test('everything that is wrong is told at once, with what it got and what it may be; nothing is begun', async () => {
    await using folder = await temporaryFolder()
    const wrong: Record<string, string> = {
      STOWAGE_LISTEN: 'nonsense',
      STOWAGE_PUBLIC_URL: 'ftp://example.com',
      STOWAGE_ADMIN_USERNAME: 'no..name',
      STOWAGE_ADMIN_PASSWORD: 'tiny-1',
      STOWAGE_LIMIT_FILE_SIZE: 'ten',
      STOWAGE_BLOB_GRACE: 'soon',
      STOWAGE_TRUSTED_PROXIES: 'here, there',
      STOWAGE_LOG_FORMAT: 'xml',
      STOWAGE_LOG_LEVEL: 'loud',
      STOWAGE_TLS_CERT: '/nowhere/cert.pem',
    }
    const unknown = { STOWAGE_LISTENN: 'x', STOWAGE_PROT: '1', STOWAGE_WHATEVER: 'y', stowage_data_dir: 'z' }
    const { exitCode, output, errors } = await startAndEnd({
      ...wrong,
      ...unknown,
      STOWAGE_DATA_DIR: join(folder.path, 'data'),
    })
    expect(exitCode).not.toBe(0)
    expect(output).toBe('')
    for (const name of [...Object.keys(wrong), ...Object.keys(unknown)]) expect(errors).toContain(name)
    for (const value of ['nonsense', 'ftp://example.com', 'no..name', 'ten', 'soon', 'here, there', 'xml', 'loud']) {
      expect(errors).toContain(value)
    }
    expect(errors).toContain('10GiB')
    expect(errors).toContain('pretty')
    expect(errors).not.toContain('tiny-1')
    expect(errors).not.toMatch(/\n {4}at /)
    expect(existsSync(join(folder.path, 'data'))).toBe(false)
  })

  test('what belongs to clients, and what Kubernetes injects, is left alone', async () => {
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path, {
      STOWAGE_URL: 'not a url',
      STOWAGE_TOKEN: 'secret',
      STOWAGE_PORT: 'tcp://10.0.0.1:3000',
      STOWAGE_PORT_3000_TCP: 'tcp://10.0.0.1:3000',
      STOWAGE_PORT_3000_TCP_ADDR: '10.0.0.1',
      STOWAGE_SERVICE_HOST: '10.0.0.1',
      STOWAGE_SERVICE_PORT_HTTP: '3000',
    })
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  })

  test('a limit is a limit', async () => {
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path, { STOWAGE_LIMIT_FILE_SIZE: '1 KiB' })
    expect((await server.admin.put({ file: 'fits' }, seededBytes(1024, 1))).status).toBe(201)
    expect((await server.admin.put({ file: 'too-large' }, seededBytes(1025, 1))).status).toBe(403)
  })
})

describe('listening', () => {
  test('is said when it accepts, and an address that is taken is said too', async () => {
    await using folder = await temporaryFolder()
    await using other = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path)
    expect(await accepts(server.port)).toBe(true)
    const { exitCode, output, errors } = await startAndEnd({
      STOWAGE_LISTEN: `127.0.0.1:${server.port}`,
      STOWAGE_DATA_DIR: other.path,
      STOWAGE_ADMIN_PASSWORD: adminPassword,
    })
    expect(exitCode).not.toBe(0)
    expect(output).not.toContain('listening on')
    expect(errors).toContain('STOWAGE_LISTEN')
    expect(errors).not.toMatch(/\n {4}at /)
  })

  test('a second server on the same data refuses to start, says so, and harms nothing', async () => {
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path)
    expect((await server.admin.put({}, 'first')).status).toBe(201)
    const second = { STOWAGE_LISTEN: '127.0.0.1:0', STOWAGE_DATA_DIR: folder.path }
    const { exitCode, output, errors } = await startAndEnd(second)
    expect(exitCode).not.toBe(0)
    expect(output).not.toContain('listening on')
    expect(errors).toContain(folder.path)
    expect(errors).toMatch(/another stowage server/i)
    expect(errors).not.toMatch(/\n {4}at /)
    expect((await server.admin.put({ file: 'second' }, 'second')).status).toBe(201)
    await server.kill()
    await using third = await ServerProcess.start(folder.path)
    expect(await (await third.admin.get({ file: 'second' })).text()).toBe('second')
  })

  test('data that is no folder, or cannot be made, is a sentence and no trace', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'file'), '')
    const settings = { STOWAGE_LISTEN: '127.0.0.1:0', STOWAGE_DATA_DIR: join(folder.path, 'file') }
    const { exitCode, output, errors } = await startAndEnd(settings)
    expect(exitCode).not.toBe(0)
    expect(output).not.toContain('listening on')
    expect(errors).toContain(join(folder.path, 'file'))
  })
})

describe('stopping', () => {
  const target = '/api/packages/admin/generic/tool/1.0/slow'
  const headers = { Authorization: basic('admin', adminPassword) }
  const body = seededBytes(100_000, 1)

  async function uploading(server: ServerProcess): Promise<SlowUpload> {
    const upload = await SlowUpload.begin(server.port, target, headers, body.length)
    await upload.send(body.subarray(0, 50_000))
    await until(
      async () => [...(await blobFiles(server.dataDir)).values()].some((size) => size > 0),
      'the upload has begun',
    )
    return upload
  }

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s lets a running upload finish, takes no new one, and exits 0',
    async (signal) => {
      await using folder = await temporaryFolder()
      await using server = await ServerProcess.start(folder.path, { STOWAGE_LOG_LEVEL: 'info' })
      using upload = await uploading(server)
      server.child.kill(signal)
      await until(() => server.errors.includes(signal), 'it says that it stops')
      await until(async () => !(await accepts(server.port)), 'it takes no connection any more')
      expect(server.child.exitCode).toBeNull()
      await upload.send(body.subarray(50_000))
      expect((await upload.answer()).status).toBe(201)
      expect(await server.child.exited).toBe(0)

      await using again = await ServerProcess.start(folder.path)
      expect(Buffer.compare(await (await again.admin.get({ file: 'slow' })).bytes(), body)).toBe(0)
    },
  )

  test('asked as soon as it says that it listens, it exits 0 too', async () => {
    await using folder = await temporaryFolder()
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM', 'SIGINT'] as const) {
      await using server = await ServerProcess.start(folder.path)
      server.child.kill(signal)
      expect(await server.ended()).toBe(0)
    }
  })

  test('a signal to npm and the server at once, as service managers send it, is one request to stop', async () => {
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path, { STOWAGE_LOG_LEVEL: 'info' })
    using upload = await uploading(server)
    server.child.kill('SIGTERM')
    server.child.kill('SIGTERM')
    await until(() => server.errors.includes('SIGTERM'), 'it says that it stops')
    server.child.kill('SIGTERM')
    await until(async () => !(await accepts(server.port)), 'it takes no connection any more')
    await upload.send(body.subarray(50_000))
    expect((await upload.answer()).status).toBe(201)
    expect(await server.child.exited).toBe(0)
  })

  test('with nothing running it exits at once, and what is kept open without a request does not hold it', async () => {
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path)
    const idle = connect(server.port, '127.0.0.1')
    await new Promise((resolve) => idle.once('connect', resolve))
    idle.on('error', () => undefined)
    idle.write('GET /healthz HTTP/1.1\r\nHost: stowage\r\n\r\n')
    await new Promise((resolve) => idle.once('data', resolve))
    const begun = performance.now()
    expect(await server.stop()).toBe(0)
    expect(performance.now() - begun).toBeLessThan(5_000)
    idle.destroy()
  })

  test('a second SIGTERM exits at once, and nothing half is left after the next start', async () => {
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path, { STOWAGE_LOG_LEVEL: 'info' })
    using _ = await uploading(server)
    server.child.kill('SIGTERM')
    const first = performance.now()
    await until(() => server.errors.includes('SIGTERM') && performance.now() - first > 700, 'the first is over')
    expect(server.child.exitCode).toBeNull()
    const second = performance.now()
    server.child.kill('SIGTERM')
    expect(await server.child.exited).not.toBe(0)
    expect(performance.now() - second).toBeLessThan(3_000)

    await using again = await ServerProcess.start(folder.path, { STOWAGE_BLOB_GRACE: '0' })
    expect((await again.admin.get({ file: 'slow' })).status).toBe(404)
    await until(async () => (await blobFiles(folder.path)).size === 0, 'what was half there is gone')
  })
})

describe('the first administrator', () => {
  test('without a terminal: the password goes to a file that only this user can read, and nowhere else', async () => {
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path, { ...ownPassword, STOWAGE_LOG_LEVEL: 'debug' })
    const file = join(folder.path, 'first-admin-password')
    const databases = onPostgres ? [] : ['stowage.db', 'stowage.db-wal'].map((name) => join(folder.path, name))
    for (const secret of [file, join(folder.path, 'secret-key'), ...databases]) {
      expect([secret, ((await stat(secret)).mode & 0o777).toString(8)]).toEqual([secret, '600'])
    }
    const password = (await readFile(file, 'utf8')).trim()
    expect(password.length).toBeGreaterThanOrEqual(16)
    expect(server.banner).toContain(file)
    expect(server.banner).not.toContain(password)
    expect((await withPassword(server.url, password).put({}, 'mine')).status).toBe(201)
    expect(await server.stop()).toBe(0)
    expect(server.errors).not.toContain(password)
    await using again = await ServerProcess.start(folder.path, ownPassword)
    expect(again.banner).not.toContain('password')
    expect((await readFile(file, 'utf8')).trim()).toBe(password)
    expect((await withPassword(again.url, password).put({ file: 'b' }, 'mine')).status).toBe(201)
  })

  test('with STOWAGE_ADMIN_PASSWORD: nothing is written or printed, and a restart does not change it', async () => {
    await using folder = await temporaryFolder()
    {
      await using server = await ServerProcess.start(folder.path)
      expect(await readdir(folder.path)).not.toContain('first-admin-password')
      expect(server.banner).not.toContain(adminPassword)
      expect((await server.admin.put({}, 'mine')).status).toBe(201)
      expect(await server.stop()).toBe(0)
    }
    await using again = await ServerProcess.start(folder.path, { STOWAGE_ADMIN_PASSWORD: 'another-Pass-1234' })
    expect((await again.admin.put({ file: 'b' }, 'mine')).status).toBe(201)
    expect((await withPassword(again.url, 'another-Pass-1234').put({ file: 'c' }, 'x')).status).toBe(401)
  })

  testWith('curl')(
    'the printed line works when pasted, without a terminal, whatever the folder is called',
    async () => {
      await using folder = await temporaryFolder()
      const dataDir = join(folder.path, "it's a folder")
      await using server = await ServerProcess.start(dataDir, ownPassword)
      const line = /^ {2}(echo .*curl.*)$/m.exec(server.banner)?.[1]
      const { output } = await ended(['sh', '-c', String(line)], {})
      expect(output).toContain('201 Created')
      const answer = await fetch(`${server.url}/api/packages/admin/generic/hello/1.0/hello.txt`)
      expect(await answer.text()).toBe('hello\n')
    },
  )

  testWith('script', 'curl')(
    'with a terminal: shown once, no file, and the printed line works when pasted',
    async () => {
      await using folder = await temporaryFolder()
      await mkdir(folder.path, { recursive: true })
      const onTerminal = async (use: (url: string, shown: string) => Promise<void>) => {
        const child = Bun.spawn(['script', '-qec', `exec '${process.execPath}' server/main.ts`, '/dev/null'], {
          cwd: root,
          env: { ...environmentWithoutOurs(), STOWAGE_LISTEN: '127.0.0.1:0', STOWAGE_DATA_DIR: folder.path },
          stdin: 'pipe',
          stdout: 'pipe',
          stderr: 'ignore',
        })
        try {
          let shown = ''
          for await (const chunk of child.stdout) {
            shown += Buffer.from(chunk).toString().replaceAll('\r\n', '\n')
            const url = /^listening on (\S+)$/m.exec(shown)?.[1]
            if (!url) continue
            await use(url, shown)
            return
          }
          throw new Error(`it ended: ${shown}`)
        } finally {
          // The server itself: its terminal passes a signal on only after a while.
          const [server] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).split(' ')
          if (server) process.kill(Number(server), 'SIGTERM')
          await child.exited
        }
      }

      await onTerminal(async (url, shown) => {
        const password = /^ *password +(\S+)/m.exec(shown)?.[1] ?? ''
        expect(password.length).toBeGreaterThanOrEqual(16)
        expect(shown.trimStart()).toStartWith('Stowage ')
        expect(await readdir(folder.path)).not.toContain('first-admin-password')
        const line = /^ {2}(echo .*curl.*)$/m.exec(shown)?.[1]
        const { output } = await ended(['sh', '-c', String(line)], {})
        expect(output).toContain('201 Created')
        expect((await withPassword(url, password).get({ package: 'hello', file: 'hello.txt' })).status).toBe(200)
      })
      await onTerminal(async (_, shown) => {
        expect(shown).not.toMatch(/password/i)
        expect(shown).not.toContain('curl')
      })
    },
  )
})

/** What the server on this data directory has, for a command. */
const settingsFor = async (path: string) => ({ STOWAGE_DATA_DIR: path, ...(await databaseSettings(path)) })

describe('reset-admin', () => {
  const newPassword = ({ exitCode, output, errors }: Ended) => {
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' })
    return /(\S+)\s*$/.exec(output)?.[1] ?? ''
  }

  test('while the server runs: the next request needs the new password, also where the old one was remembered', async () => {
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path)
    expect((await server.admin.put({}, 'one')).status).toBe(201)
    const password = newPassword(await stowage(['reset-admin'], await settingsFor(folder.path)))
    expect(password).not.toBe(adminPassword)
    expect((await server.admin.put({ file: 'b' }, 'two')).status).toBe(401)
    expect((await withPassword(server.url, password).put({ file: 'b' }, 'two')).status).toBe(201)
  })

  test('while the server is stopped', async () => {
    await using folder = await temporaryFolder()
    {
      await using server = await ServerProcess.start(folder.path)
      expect(await server.stop()).toBe(0)
    }
    const password = newPassword(await stowage(['reset-admin'], await settingsFor(folder.path)))
    await using server = await ServerProcess.start(folder.path)
    expect((await server.admin.put({}, 'one')).status).toBe(401)
    expect((await withPassword(server.url, password).put({}, 'one')).status).toBe(201)
  })

  test('without data, or for nobody, it is a sentence and an exit code', async () => {
    await using folder = await temporaryFolder()
    const none = await stowage(['reset-admin'], { STOWAGE_DATA_DIR: join(folder.path, 'none') })
    expect(none.exitCode).not.toBe(0)
    expect(none.errors).toContain('none')
    expect(none.errors).not.toMatch(/\n {4}at /)
    expect(existsSync(join(folder.path, 'none'))).toBe(false)
    await using server = await ServerProcess.start(folder.path)
    const nobody = await stowage(['reset-admin', '--username', 'nobody'], await settingsFor(folder.path))
    expect(nobody.exitCode).not.toBe(0)
    expect((await server.admin.put({}, 'one')).status).toBe(201)
  })
})

describe('the log', () => {
  test('never holds a password or a token, whatever is asked', async () => {
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path, {
      STOWAGE_LOG_LEVEL: 'debug',
      STOWAGE_QUERY_TOKENS: 'true',
    })
    const { admin, url } = server
    const token = await admin.token(['all'], { name: 'ci' })
    const secrets = [
      adminPassword,
      token.secret,
      basic('admin', adminPassword).slice(6),
      basic(token.secret, '').slice(6),
    ]
    const wrong = 'wrong-Pass-5678'
    secrets.push(wrong, basic('admin', wrong).slice(6))
    const credentials: Record<string, string>[] = [
      { Authorization: basic('admin', adminPassword) },
      { Authorization: basic('admin', wrong) },
      { Authorization: basic(token.secret, '') },
      { Authorization: basic(token.secret, 'x-oauth-basic') },
      { Authorization: basic('admin', token.secret) },
      { Authorization: `token ${token.secret}` },
      { Authorization: `Bearer ${token.secret}x` },
      { Authorization: `Strange ${token.secret}` },
      { 'Private-Token': token.secret },
      { 'X-NuGet-ApiKey': `${token.secret.slice(0, 39)}x${token.secret}` },
    ]
    for (const [index, headers] of credentials.entries()) {
      const client = admin.with(headers)
      const file = { file: `file-${index}` }
      await client.put(file, 'one')
      await client.put(file, 'two')
      await client.get(file)
      await client.put({ file: 'a/b' }, 'x')
      await client.delete({ file: 'nothing' })
      await client.fetch(`/api/v1/users/admin/tokens?token=${token.secret}`)
      await client.post('/api/v1/users/admin/tokens', { name: 'ci', scopes: ['nothing'] })
      await client.post('/api/v1/admin/users', { username: 'bo', password: adminPassword, email: 'x' })
      await client.post('/api/v1/admin/users', `{"password":"${adminPassword}"`)
      await client.fetch(`/api/v1/users/admin/tokens/${token.secret}`, { method: 'DELETE' })
      await client.fetch('/%zz')
    }
    const login = { headers: { 'Sec-Fetch-Site': 'same-origin' }, method: 'POST' }
    const guess = await fetch(`${url}/user/login`, { ...login, body: JSON.stringify({ user: wrong, password: wrong }) })
    expect(guess.status).toBe(401)
    await fetch(`${url}/nothing?token=${token.secret}`)
    await fetch(`${url}/api/packages/admin/generic/t/1/f?access_token=${token.secret}`)
    await sendRaw(server.port, `CONNECT x?token=${token.secret} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    await rename(join(folder.path, 'blobs'), join(folder.path, 'away'))
    expect((await admin.put({ file: 'lost' }, 'x')).status).toBe(503)
    await rename(join(folder.path, 'away'), join(folder.path, 'blobs'))
    expect(await server.stop()).toBe(0)
    // From where is told, of whom is not: people type passwords where names belong.
    expect(server.errors).toContain('Refused a sign-in from 127.0.0.1')
    expect(server.errors.length).toBeGreaterThan(1_000)
    const lines = server.errors.split('\n')
    expect(lines.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([])
    // Nor does any file hold what would let somebody in, but the hashes of it.
    const database = await wholeDatabase(folder.path)
    expect(database.includes('admin')).toBe(true)
    for (const secret of secrets) expect(database.includes(secret)).toBe(false)
  })

  test('tells a failure once, with the request id that the answer carried, at any level', async () => {
    await using folder = await temporaryFolder()
    await using server = await ServerProcess.start(folder.path, { STOWAGE_LOG_LEVEL: 'error' })
    await rename(join(folder.path, 'blobs'), join(folder.path, 'away'))
    const failed = [
      await server.admin.put({ file: 'b' }, 'x'),
      await server.admin.put({ file: 'c' }, 'x', { Accept: 'application/json' }),
    ]
    await rename(join(folder.path, 'away'), join(folder.path, 'blobs'))
    const refused = await server.admin.get({ file: 'nothing' })
    expect(await server.stop()).toBe(0)
    const lines = server.errors.trim().split('\n')
    for (const answer of failed) {
      expect(answer.status).toBe(503)
      const id = answer.headers.get('x-request-id') ?? ''
      expect(id.length).toBeGreaterThan(10)
      expect(lines.filter((line) => line.includes(id))).toHaveLength(1)
    }
    expect(refused.headers.get('x-request-id')).toBeTruthy()
    // What looks after the disk by itself may have come by meanwhile.
    expect(lines.filter((line) => 'request.id' in JSON.parse(line))).toHaveLength(failed.length)
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: 'error' })
  })
})

testWith('openssl')('HTTPS without a proxy', async () => {
  await using folder = await temporaryFolder()
  const [cert, key] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')]
  const made = await ended(
    [
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
    ],
    {},
  )
  expect(made.exitCode).toBe(0)
  const dataDir = join(folder.path, 'data')
  await using server = await ServerProcess.start(dataDir, { STOWAGE_TLS_CERT: cert, STOWAGE_TLS_KEY: key })
  expect(server.url).toStartWith('https://127.0.0.1:')
  const tls = { ca: await readFile(cert, 'utf8') }
  const address = `${server.url}/api/packages/admin/generic/tool/1.0/tool.bin`
  const body = seededBytes(3_000_000, 1)
  const headers = { Authorization: basic('admin', adminPassword) }
  expect((await fetch(address, { method: 'PUT', body, headers, tls })).status).toBe(201)
  expect(Buffer.compare(await (await fetch(address, { tls })).bytes(), body)).toBe(0)
  const part = await fetch(address, { tls, headers: { Range: 'bytes=1000000-1999999' } })
  expect(part.status).toBe(206)
  expect(Buffer.compare(await part.bytes(), body.subarray(1_000_000, 2_000_000))).toBe(0)
  // Without the certificate nobody believes it, and plain HTTP gets no file.
  await expect(fetch(address, { headers: { Connection: 'close' } })).rejects.toThrow()
  await expect(fetch(address.replace('https', 'http'))).rejects.toThrow()
  expect(await server.stop()).toBe(0)

  const broken = await startAndEnd({
    STOWAGE_LISTEN: '127.0.0.1:0',
    STOWAGE_DATA_DIR: dataDir,
    STOWAGE_TLS_CERT: key,
    STOWAGE_TLS_KEY: cert,
  })
  expect(broken.exitCode).not.toBe(0)
  expect(broken.output).not.toContain('listening on')
})

test('a path prefix in the public address works with and without it in the request', async () => {
  await using folder = await temporaryFolder()
  await using server = await ServerProcess.start(folder.path, {
    STOWAGE_PUBLIC_URL: 'https://example.com/some/stowage/',
  })
  expect(server.banner).toContain('https://example.com/some/stowage/api/packages/')
  const path = '/api/packages/admin/generic/tool/1.0/a%20b'
  const { admin } = server
  expect((await admin.fetch(`/some/stowage${path}`, { method: 'PUT', body: 'one' })).status).toBe(201)
  expect((await admin.fetch(path, { method: 'PUT', body: 'two' })).status).toBe(409)
  for (const prefix of ['', '/some/stowage', '//some//stowage']) {
    expect(await (await fetch(`${server.url}${prefix}${path}`)).text()).toBe('one')
    expect((await fetch(`${server.url}${prefix}/api/v1/version`)).status).toBe(200)
    expect((await fetch(`${server.url}${prefix}/healthz`)).status).toBe(200)
  }
  for (const prefix of ['/some', '/stowage', '/other/stowage', '/some/stowage/some/stowage']) {
    expect((await fetch(`${server.url}${prefix}${path}`)).status).toBe(404)
  }
  expect((await admin.fetch(`/some/stowage${path}`, { method: 'DELETE' })).status).toBe(204)
  expect((await fetch(`${server.url}${path}`)).status).toBe(404)
})

test('a word that is no command is told so, also one that every object has', () => {
  for (const word of ['toString', 'constructor', '__proto__', 'published']) {
    const { exitCode, stderr } = Bun.spawnSync([process.execPath, 'cli/stowage.ts', word], {
      cwd: new URL('../..', import.meta.url).pathname,
    })
    expect({ word, exitCode }).toEqual({ word, exitCode: 2 })
    expect(stderr.toString()).toContain(`there is no command ${word}`)
  }
})
