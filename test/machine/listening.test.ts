import { expect, test } from 'bun:test'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { startStowage } from '../support/stowage.ts'

test('a second server on the same port is refused, also with data of its own', async () => {
  await using one = await temporaryFolder()
  await using two = await temporaryFolder()
  await using first = await ServerProcess.start(one.path)
  const listen = `127.0.0.1:${first.port}`
  const second = ServerProcess.start(two.path, { STOWAGE_LISTEN: listen })
  const refusal = await second.then(
    () => 'it listens',
    (error: Error) => error.message,
  )
  expect(refusal).toContain(`STOWAGE_LISTEN is "${listen}", but another program listens there.`)
})

test.each(['/stowage', '/a/b', '/a/b/c', '/a/b/c/d/e/f/g/h', '/api'])(
  'below the public path %s every address works, with the path and without',
  async (prefix) => {
    await using stowage = await startStowage({
      settings: { STOWAGE_PUBLIC_URL: `https://packages.example.com${prefix}/` },
    })
    const { admin } = stowage
    const file = admin.path({ file: 'a.txt' })
    expect((await admin.fetch(prefix + file, { method: 'PUT', body: 'one' })).status).toBe(201)
    expect((await admin.fetch(file, { method: 'PUT', body: 'one' })).status).toBe(409)
    for (const path of [file, '/api/v1/version', '/healthz', '/']) {
      for (const sent of [path, prefix + path]) {
        expect({ sent, status: (await admin.fetch(sent)).status }).toEqual({ sent, status: 200 })
      }
    }
    const user = (await (await admin.fetch('/api/v1/user')).json()) as { html_url: string }
    expect(user.html_url).toBe(`https://packages.example.com${prefix}/admin`)
  },
)

test('mistakes in where it listens and what it keeps are one sentence that names the variable', async () => {
  await using folder = await temporaryFolder()
  const file = join(await mkdtemp(join(tmpdir(), 'stowage-test-')), 'file')
  await Bun.write(file, 'no folder')
  const cases: [string, Record<string, string>][] = [
    ['STOWAGE_LISTEN is "192.0.2.1:1", but', { STOWAGE_LISTEN: '192.0.2.1:1' }],
    [`STOWAGE_DATA_DIR is ${JSON.stringify(file)}, but it cannot be used`, { STOWAGE_DATA_DIR: file }],
  ]
  for (const [sentence, settings] of cases) {
    const refusal = await ServerProcess.start(folder.path, settings).then(
      () => 'it listens',
      (error: Error) => error.message,
    )
    expect(refusal).toContain(sentence)
    expect(refusal).not.toMatch(/^\s+at /m)
  }
})
