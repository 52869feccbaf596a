import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { run, testWith } from '../support/programs.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { rawRequest } from '../support/raw-socket.ts'
import { refusal } from '../support/refusal.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { basic, type Client, startStowage, type TestStowage } from '../support/stowage.ts'

const root = new URL('../..', import.meta.url).pathname
const login = 'ada:ada-Pass-1234'
const content = randomBytes(300_000)
const hex = (algorithm: string, of: Uint8Array) => createHash(algorithm).update(of).digest('hex')

let stowage: TestStowage
let ada: Client
/** A token of Ada's that may publish. */
let token: string

beforeAll(async () => {
  stowage = await startStowage()
  ada = await stowage.user('ada')
  token = (await ada.token(['write:package'])).secret
  const priscilla = await stowage.user('priscilla', { visibility: 'private' })
  await priscilla.put({}, content)
  await ada.put({ package: 'there' }, content)
})
afterAll(() => stowage[Symbol.asyncDispose]())

/** The address of Ada's file of that package. */
const address = (name: string, file = 'tool.bin') => `${stowage.url}${ada.path({ package: name, file })}`

/** A folder with `tool.bin` in it. */
async function folderWith(bytes: Uint8Array) {
  const folder = await temporaryFolder()
  await Bun.write(join(folder.path, 'tool.bin'), bytes)
  return folder
}

async function expectStored(name: string, bytes: Uint8Array, file = 'tool.bin') {
  const answer = await stowage.anonymous.get({ owner: 'ada', package: name, file })
  expect(answer.status).toBe(200)
  expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true)
}

async function expectInFolder(path: string, bytes: Uint8Array) {
  expect(Buffer.from(await Bun.file(join(path, 'tool.bin')).arrayBuffer()).equals(bytes)).toBe(true)
}

describe('curl', () => {
  const status = ['-sS', '-w', '%{http_code}']

  testWith('curl')('-T publishes, small and large, and tells of a name that is taken', async () => {
    for (const [name, size] of [
      ['curl-small', 1],
      ['curl-empty', 0],
      ['curl-large', 5_000_000],
    ] as const) {
      const bytes = randomBytes(size)
      await using folder = await folderWith(bytes)
      const put = () => run(folder.path, 'curl', ...status, '--user', login, '-T', 'tool.bin', address(name))
      expect((await put()).output).toBe('201')
      await expectStored(name, bytes)
      const again = await put()
      expect([again.exitCode, again.output]).toEqual([0, 'package file already exists\n409'])
    }
  })

  testWith('curl')('-T is told without rights, also when the body is large', async () => {
    await using folder = await folderWith(randomBytes(5_000_000))
    const anonymous = await run(folder.path, 'curl', ...status, '-T', 'tool.bin', address('curl-nobody'))
    expect(anonymous).toMatchObject({ exitCode: 0, output: expect.stringMatching(/401$/) })
    const closing = ['-H', 'Connection: close', '-H', 'Expect:', '-T', 'tool.bin', address('curl-nobody')]
    const closed = await run(folder.path, 'curl', ...status, ...closing)
    expect(closed).toMatchObject({ exitCode: 0, output: expect.stringMatching(/401$/) })
  })

  testWith('curl')('-T - publishes what comes from a pipe, in chunks', async () => {
    await using folder = await folderWith(content)
    const command = `cat tool.bin | curl -sS -w '%{http_code}' --user '${login}' -T - '${address('curl-pipe')}'`
    const child = Bun.spawn(['sh', '-c', command], { cwd: folder.path, stdout: 'pipe', stderr: 'inherit' })
    expect(await new Response(child.stdout).text()).toBe('201')
    await expectStored('curl-pipe', content)
  })

  testWith('curl')('--data-binary publishes the bytes as they are', async () => {
    const bytes = Buffer.from('a=1&b=%20+\r\n\0end')
    await using folder = await folderWith(bytes)
    const args = ['--user', login, '-X', 'PUT', '--data-binary', '@tool.bin', address('curl-data')]
    expect((await run(folder.path, 'curl', ...status, ...args)).output).toBe('201')
    await expectStored('curl-data', bytes)
  })

  testWith('curl')('-F publishes the file of a form', async () => {
    await using folder = await folderWith(content)
    const form = ['-F', 'note=first', '-F', 'file=@tool.bin', '-F', 'more=last']
    const args = ['--user', login, '-X', 'PUT', ...form, address('curl-form')]
    expect((await run(folder.path, 'curl', ...status, ...args)).output).toBe('201')
    await expectStored('curl-form', content)
  })

  testWith('curl')('-C - resumes a download, and finds a whole file whole', async () => {
    await using folder = await folderWith(content.subarray(0, 100_000))
    const resume = () => run(folder.path, 'curl', ...status, '-O', '-C', '-', address('there'))
    expect(await resume()).toMatchObject({ exitCode: 0, output: '206' })
    await expectInFolder(folder.path, content)
    expect((await resume()).output).toBe('416')
    await expectInFolder(folder.path, content)
  })

  testWith('curl')('-C - -T is refused: it would store a tail as the whole', async () => {
    await using folder = await folderWith(content)
    const args = ['--user', login, '-C', '100', '-T', 'tool.bin', address('curl-tail')]
    expect((await run(folder.path, 'curl', ...status, ...args)).output).toEndWith('400')
    expect((await ada.get({ package: 'curl-tail' })).status).toBe(404)
  })

  testWith('curl')('-z and --etag-compare download only what is new', async () => {
    await using folder = await temporaryFolder()
    const get = (...args: string[]) =>
      run(folder.path, 'curl', ...status, '-R', '-o', 'tool.bin', ...args, address('there'))
    expect((await get('--etag-save', 'etag')).output).toBe('200')
    expect((await get('-z', 'tool.bin')).output).toBe('304')
    expect((await get('--etag-compare', 'etag')).output).toBe('304')
    expect((await get('-z', '2001-01-01')).output).toBe('200')
    await expectInFolder(folder.path, content)
  })

  testWith('curl')('-OJ takes the name from the answer, -X DELETE deletes', async () => {
    await ada.put({ package: 'curl-delete', file: 'Tool 1 (x64).bin' }, content)
    const url = address('curl-delete', 'tool 1 (X64).bin')
    await using folder = await temporaryFolder()
    expect((await run(folder.path, 'curl', ...status, '-OJ', url)).output).toBe('200')
    expect(await Bun.file(join(folder.path, 'Tool 1 (x64).bin')).exists()).toBe(true)
    const args = ['-X', 'DELETE', '-H', `Authorization: token ${token}`, url]
    expect((await run(folder.path, 'curl', ...status, ...args)).output).toBe('204')
    expect((await ada.get({ package: 'curl-delete', file: 'Tool 1 (x64).bin' })).status).toBe(404)
  })
})

describe('wget', () => {
  testWith('wget')('-c resumes a download, and leaves a whole file alone', async () => {
    await using folder = await folderWith(content.subarray(0, 123_456))
    const resumed = await run(folder.path, 'wget', '-nv', '-S', '-c', address('there'))
    expect(resumed).toMatchObject({ exitCode: 0, errors: expect.stringContaining('206 Partial Content') })
    await expectInFolder(folder.path, content)
    const whole = await run(folder.path, 'wget', '-nv', '-c', address('there'))
    expect(whole.exitCode).toBe(0)
    await expectInFolder(folder.path, content)
  })

  testWith('wget')('--user --password signs in after it was asked to', async () => {
    const url = `${stowage.url}${ada.path({ owner: 'priscilla' })}`
    await using folder = await temporaryFolder()
    const signIn = ['--user', 'priscilla', '--password', 'priscilla-Pass-1234']
    const answered = await run(folder.path, 'wget', '-nv', '-S', ...signIn, url)
    expect(answered).toMatchObject({ exitCode: 0, errors: expect.stringContaining('401 Unauthorized') })
    await expectInFolder(folder.path, content)
    expect((await run(folder.path, 'wget', '-nv', url)).exitCode).not.toBe(0)
  })

  testWith('wget')('-N downloads only what is new', async () => {
    await using folder = await temporaryFolder()
    expect((await run(folder.path, 'wget', '-nv', '-N', address('there'))).exitCode).toBe(0)
    const again = await run(folder.path, 'wget', '-S', '-N', address('there'))
    expect(again).toMatchObject({ exitCode: 0, errors: expect.stringContaining('304 Not Modified') })
  })
})

testWith('aria2c')('aria2c -x8 fetches a file over eight connections', async () => {
  const bytes = randomBytes(20 * 1024 * 1024)
  expect((await ada.put({ package: 'aria' }, bytes)).status).toBe(201)
  await using folder = await temporaryFolder()
  const checksum = `--checksum=sha-256=${hex('sha256', bytes)}`
  const options = ['--no-conf', '-q', '-x8', '-s8', '-k1M', '--file-allocation=none', checksum]
  expect((await run(folder.path, 'aria2c', ...options, address('aria'))).exitCode).toBe(0)
  await expectInFolder(folder.path, bytes)
})

testWith('npm')('the tarball of this project is published and read back', async () => {
  await using folder = await temporaryFolder()
  const options = ['--silent', '--ignore-scripts', '--no-update-notifier', '--pack-destination', folder.path]
  const packed = await run(folder.path, 'npm', 'pack', root, ...options)
  expect(packed.exitCode).toBe(0)
  const file = packed.output.trim()
  const tarball = Buffer.from(await Bun.file(join(folder.path, file)).arrayBuffer())
  expect((await ada.put({ package: 'stowage', version: '0.1.0', file }, tarball)).status).toBe(201)
  const got = await stowage.anonymous.get({ owner: 'ada', package: 'stowage', version: '0.1.0', file })
  expect(got.headers.get('x-checksum-sha256')).toBe(hex('sha256', tarball))
  expect(Buffer.from(await got.arrayBuffer()).equals(tarball)).toBe(true)
})

describe('requests as other clients send them', () => {
  test('GoReleaser: all artifacts of a version at once, each with its checksum', async () => {
    const artifacts = Array.from({ length: 16 }, (_, index) => ({
      file: `app_${index}.tar.gz`,
      bytes: randomBytes(10_000),
    }))
    const put = async ({ file, bytes }: (typeof artifacts)[number]) => {
      const headers = { 'User-Agent': 'goreleaser/2.0', 'X-Checksum-SHA256': hex('sha256', bytes) }
      return (await ada.put({ package: 'app', version: 'v1.2.3', file }, bytes, headers)).status
    }
    expect(new Set(await Promise.all(artifacts.map(put)))).toEqual(new Set([201]))
    expect(new Set(await Promise.all(artifacts.map(put)))).toEqual(new Set([409]))
  })

  test('JReleaser: a token, a guessed type, and a body only once it is asked for', async () => {
    await using connection = await RawConnection.open(stowage.port)
    const lines = [
      `PUT ${ada.path({ package: 'jreleaser', file: 'app.zip' })} HTTP/1.1`,
      `Authorization: token ${token}`,
      'Accept: */*',
      'User-Agent: JReleaser/1.20.0',
      'Content-Type: application/zip',
      'Expect: 100-continue',
      'Content-Length: 7',
      'Host: stowage',
      'Connection: Keep-Alive',
    ]
    await connection.write([...lines, '', ''].join('\r\n'))
    expect((await connection.answer()).status).toBe(100)
    await connection.write('zipfile')
    expect((await connection.answer()).status).toBe(201)
    await expectStored('jreleaser', Buffer.from('zipfile'), 'app.zip')
  })

  test("woodpecker's plugin with update: deletes the file, then puts it", async () => {
    const file = { package: 'woodpecker', file: 'app' }
    expect((await ada.delete(file)).status).toBe(404)
    expect((await ada.put(file, 'old')).status).toBe(201)
    expect((await ada.delete(file)).status).toBe(204)
    expect((await ada.put(file, 'new')).status).toBe(201)
    await expectStored('woodpecker', Buffer.from('new'), 'app')
  })

  test("VAllens' publish action: lists the files of a version, skips those that are there, puts the rest", async () => {
    const list = '/api/v1/packages/ada/generic/vallens/1.0/files'
    const headers = { Authorization: `token ${token}`, Accept: 'application/json' }
    const publishAll = async () => {
      const listed = await rawRequest(stowage.port, 'GET', list, headers)
      const there = listed.status === 404 ? [] : (JSON.parse(String(listed.body)) as { name: string }[])
      const names = there.map(({ name }) => name)
      const sent: [string, number][] = []
      for (const file of ['a.zip', 'b.zip', 'c.zip'].filter((name) => !names.includes(name))) {
        const digests = { 'X-Checksum-Md5': hex('md5', content), 'X-Checksum-Sha1': hex('sha1', content) }
        const { status } = await ada.put({ package: 'vallens', file }, content, {
          ...digests,
          'X-Checksum-Sha512': hex('sha512', content),
        })
        sent.push([file, status])
      }
      return { listed: listed.status, sent }
    }
    const all = ['a.zip', 'b.zip', 'c.zip'].map((name): [string, number] => [name, 201])
    expect(await publishAll()).toEqual({ listed: 404, sent: all })
    expect((await ada.delete({ package: 'vallens', file: 'b.zip' })).status).toBe(204)
    expect(await publishAll()).toEqual({ listed: 200, sent: [['b.zip', 201]] })
    expect(await publishAll()).toEqual({ listed: 200, sent: [] })
  })

  test("Gitea's command line: lists, views and finds the latest, with a token", async () => {
    for (const version of ['1.0', '2.0']) {
      expect((await ada.put({ package: 'gt', version }, content)).status).toBe(201)
    }
    const ask = async (path: string) => {
      const headers = { Authorization: `token ${token}`, Accept: 'application/json', 'User-Agent': 'gt/1.27' }
      const { status, headers: got, body } = await rawRequest(stowage.port, 'GET', `/api/v1/packages/${path}`, headers)
      expect([path, status, got['content-type']]).toEqual([path, 200, 'application/json; charset=utf-8'])
      return JSON.parse(String(body))
    }
    const version = {
      type: 'generic',
      name: 'gt',
      owner: { login: 'ada' },
      creator: { login: 'ada' },
      repository: null,
    }
    expect(await ask('ada?type=generic&q=gt&page=1&limit=50')).toMatchObject([version, version])
    expect(await ask('ada/generic/gt?page=1&limit=1')).toMatchObject([{ ...version, version: '2.0' }])
    expect(await ask('ada/generic/gt/1.0')).toMatchObject({ ...version, version: '1.0' })
    expect(await ask('ada/generic/gt/-/latest')).toMatchObject({ ...version, version: '2.0' })
    expect(await ask('ada/generic/gt/1.0/files')).toMatchObject([
      { name: 'tool.bin', size: content.length, sha256: hex('sha256', content) },
    ])
  })

  test('Maven Wagon: looks, puts the file and its checksums beside it', async () => {
    const file = { package: 'com.example.app', version: '1.0' }
    const beside = [
      ['app-1.0.jar', content],
      ['app-1.0.jar.md5', hex('md5', content)],
      ['app-1.0.jar.sha1', hex('sha1', content)],
    ] as const
    for (const [name, bytes] of beside) {
      expect((await ada.head({ ...file, file: name })).status).toBe(404)
      expect((await ada.put({ ...file, file: name }, bytes)).status).toBe(201)
    }
    expect(await (await ada.get({ ...file, file: 'app-1.0.jar.sha1' })).text()).toBe(hex('sha1', content))
    expect((await ada.put({ ...file, file: 'app-1.0.jar' }, content)).status).toBe(409)
  })

  test('JFrog: tries to deploy by checksum, then sends the file with three of them', async () => {
    const checksums = {
      'X-Checksum-Sha1': hex('sha1', content),
      'X-Checksum-Sha256': hex('sha256', content),
      'X-Checksum-Md5': hex('md5', content),
    }
    const path = ada.path({ package: 'jfrog' })
    const headers = { Authorization: basic('ada', token), ...checksums }
    const deploy = await rawRequest(stowage.port, 'PUT', path, { ...headers, 'X-Checksum-Deploy': 'true' })
    expect(await refusal(deploy)).toEqual([404, 'checksum deploy is not supported'])
    expect((await ada.put({ package: 'jfrog' }, content, checksums)).status).toBe(201)
    const got = await ada.head({ package: 'jfrog' })
    expect(got.headers.get('x-checksum-sha256')).toBe(checksums['X-Checksum-Sha256'])
    expect((await ada.put({ package: 'jfrog', file: 'b' }, 'other', checksums)).status).toBe(400)
  })

  test.each(['PRIVATE-TOKEN', 'JOB-TOKEN'])('GitLab scripts: %s', async (header) => {
    const client = ada.with({ [header]: token })
    expect((await client.put({ package: `gitlab-${header}` }, content)).status).toBe(201)
    expect((await client.get({ package: `gitlab-${header}` })).status).toBe(200)
  })

  test('a browser: a challenge for what is hidden, and then the file', async () => {
    const Accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'
    const path = ada.path({ owner: 'priscilla' })
    const asked = await rawRequest(stowage.port, 'GET', path, { Accept })
    expect([asked.status, asked.headers['www-authenticate']]).toEqual([401, 'Basic realm="Stowage"'])
    expect(asked.headers['content-type']).toBe('text/plain; charset=utf-8')
    const Authorization = basic('priscilla', 'priscilla-Pass-1234')
    expect((await rawRequest(stowage.port, 'GET', path, { Accept, Authorization })).status).toBe(200)
  })
})
