import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type HttpFault, HttpProxy } from '../support/http-proxy.ts'
import { filesOnDisk, migrateFiles } from '../support/migrate-files.ts'
import { MemoryWatch } from '../support/process-memory.ts'
import { bestS3Server, type S3Server } from '../support/s3.ts'
import { Seeded, seededBytes } from '../support/seeded.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { s3Settings } from '../support/store.ts'
import { until } from '../support/until.ts'

const seed = Number(process.env.MOVE_SEED ?? 20_261_126)
const mebibyte = 1024 * 1024

let s3: S3Server

beforeAll(async () => {
  s3 = await bestS3Server().start()
})

afterAll(() => s3[Symbol.asyncDispose]())

test('killed again and again beside a server that is used, the files arrive', async () => {
  const random = new Seeded(seed)
  await using folder = await temporaryFolder()
  await using proxy = await HttpProxy.start(s3.url, { keepsHost: true })
  const place = s3.place(proxy.url)
  const files = new Map<string, Uint8Array<ArrayBuffer>>()
  let made = 0
  {
    await using server = await ServerProcess.start(folder.path, filesOnDisk)
    const publish = async () => {
      made += 1
      const [file, size] = [`file-${made}`, random.chance(0.05) ? random.below(30 * mebibyte) : random.below(20_000)]
      const bytes = seededBytes(size, made)
      const { status } = await server.admin.put({ file }, bytes)
      if (status !== 201) throw new Error(`${file}: ${status}`)
      files.set(file, bytes)
    }
    const look = async () => {
      const [file, bytes] = random.pick([...files])
      const answer = await server.admin.get({ file })
      expect(answer.status).toBe(200)
      expect(Buffer.compare(await answer.bytes(), bytes)).toBe(0)
    }
    const remove = async () => {
      const [file] = random.pick([...files])
      files.delete(file)
      expect((await server.admin.delete({ file })).status).toBe(204)
    }
    while (files.size < 400) await publish()

    for (let life = 0; life < 6; life += 1) {
      proxy.take()
      const puts = () => proxy.seen.filter(({ method }) => method === 'PUT').length
      const faults: HttpFault[] = [
        { kind: 'answer', method: 'PUT', status: 500 },
        { kind: 'lose answer', method: 'PUT' },
        { kind: 'cut request', method: 'PUT', after: 500 },
        { kind: 'cut answer', method: 'GET', after: 10 },
      ]
      const { child, ended } = await migrateFiles(folder.path, place)
      const dies = 10 + random.below(60)
      let isOver = false
      child.exited.then(() => {
        isOver = true
      })
      await until(() => puts() >= 3 || isOver, 'it copies')
      proxy.plan(random.pick(faults))
      while (puts() < dies && !isOver) await (random.chance(0.6) ? publish() : random.chance(0.8) ? look() : remove())
      child.kill('SIGKILL')
      await ended
    }
    proxy.take()
    expect(await (await migrateFiles(folder.path, place, ['--verify'])).ended).toMatchObject({
      exitCode: 3,
      errors: '',
      output: expect.stringContaining('Copied, but not moved yet: a server uses the data directory'),
    })
    await publish()
    await server.stop()
  }
  const { output, exitCode } = await (await migrateFiles(folder.path, place)).ended
  expect(exitCode).toBe(0)
  expect(output).toContain('\nMoved.')
  expect(output).not.toContain('NOT COPIED')
  await using server = await ServerProcess.start(folder.path, s3Settings(place))
  for (const [file, bytes] of files) {
    const answer = await server.admin.get({ file })
    expect(answer.status).toBe(200)
    expect(Buffer.compare(await answer.bytes(), bytes)).toBe(0)
  }
}, 600_000)

test('several large files take little memory', async () => {
  await using folder = await temporaryFolder()
  const place = s3.place()
  {
    await using server = await ServerProcess.start(folder.path, filesOnDisk)
    for (let index = 1; index <= 4; index += 1) {
      const bytes = seededBytes(256 * mebibyte, index)
      expect((await server.admin.put({ file: `large-${index}` }, bytes)).status).toBe(201)
    }
    await server.stop()
  }
  const { child, ended } = await migrateFiles(folder.path, place)
  using memory = new MemoryWatch(child.pid)
  expect(await ended).toMatchObject({ exitCode: 0, errors: '' })
  expect(memory.peak).toBeLessThan(350)
}, 600_000)
