import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { HttpProxy } from '../support/http-proxy.ts'
import { run, testWith } from '../support/programs.ts'
import { rawRequest } from '../support/raw-socket.ts'
import { bestS3Server, type S3Server } from '../support/s3.ts'
import { seededBytes } from '../support/seeded.ts'
import { temporaryFolder } from '../support/server-process.ts'
import { s3Settings } from '../support/store.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

const target = '/api/packages/admin/generic/tool/1.0/large'
const bytes = seededBytes(8_000_000, 1)

let server: S3Server
let proxy: HttpProxy
let stowage: TestStowage

beforeAll(async () => {
  server = await bestS3Server().start()
  proxy = await HttpProxy.start(server.url, { keepsHost: true })
  stowage = await startStowage({ settings: s3Settings(server.place(proxy.url)) })
  expect((await stowage.admin.put({ file: 'large' }, bytes)).status).toBe(201)
})

afterAll(async () => {
  await stowage[Symbol.asyncDispose]()
  await proxy[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

describe('a large file in S3 has its length', () => {
  test.each([
    ['whole', undefined, 200, bytes],
    ['from somewhere on', 'bytes=1000000-', 206, bytes.subarray(1_000_000)],
    ['a piece', 'bytes=1000000-4999999', 206, bytes.subarray(1_000_000, 5_000_000)],
  ])('%s', async (_, range, status, expected) => {
    const answer = await rawRequest(stowage.port, 'GET', target, range === undefined ? {} : { Range: range })
    expect([answer.status, answer.headers['content-length']]).toEqual([status, String(expected.byteLength)])
    expect(answer.headers).not.toHaveProperty('transfer-encoding')
    expect(Buffer.compare(answer.body, expected)).toBe(0)
  })

  test('in parts', async () => {
    const answer = await rawRequest(stowage.port, 'GET', target, { Range: 'bytes=0-1999999,4000000-6999999' })
    expect([answer.status, answer.headers['content-length']]).toEqual([206, String(answer.body.byteLength)])
    expect(answer.body.byteLength).toBeGreaterThan(5_000_000)
  })

  testWith('curl')('as curl shows', async () => {
    await using folder = await temporaryFolder()
    const format = '%header{content-length} %{size_download}'
    const { output } = await run(folder.path, 'curl', '-sS', '-o', 'large', '-w', format, stowage.url + target)
    expect(output).toBe('8000000 8000000')
  })
})

test('where the store breaks off for good, the download is cut off short of its length', async () => {
  proxy.always = () => ({ kind: 'answer', status: 403 })
  proxy.plan({ kind: 'cut answer', method: 'GET', after: 5_000_000 })
  const answer = await stowage.anonymous.get({ file: 'large' })
  expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '8000000'])
  await expect(answer.bytes()).rejects.toThrow()
  proxy.always = undefined
  expect(Buffer.compare(await (await stowage.anonymous.get({ file: 'large' })).bytes(), bytes)).toBe(0)
})
