import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat, statfs } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onPostgres } from '../support/database.ts'
import { notRun } from '../support/not-run.ts'
import { MemoryWatch, ownMemory } from '../support/process-memory.ts'
import { type Program, testWith } from '../support/programs.ts'
import { seededBytes, sha256Of } from '../support/seeded.ts'
import { ServerProcess, temporaryFolder } from '../support/server-process.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { adminPassword, basic } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const GiB = 1024 ** 3
const MiB = 1024 ** 2
/** MiB of its own that the server may have at the most while it moves one file, however large. */
const mostForOne = 150
/** The same while it also computes the digests of the files that came before. */
const mostBesideDigests = 200
/** MiB by which 16 slow uploads and 64 slow downloads of 24 GB in all may make it grow. */
const mostForMany = 160
const user = `admin:${adminPassword}`

const { bavail, bsize } = await statfs(tmpdir())
const roomy = bavail * bsize > 10 * GiB
if (!roomy && !process.env.CI) {
  notRun(`the tests of big files need 10 GiB free in ${tmpdir()} (set TMPDIR to another folder)`)
}

function bigTestWith(...programs: Program[]): typeof test | typeof test.skip {
  return roomy || process.env.CI ? testWith(...programs) : test.skip
}

async function run(...command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [output, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  expect({ command: command[0], exitCode: await child.exited, errors }).toMatchObject({ exitCode: 0 })
  return output
}

async function sha256OfFile(path: string, bytes = Number.POSITIVE_INFINITY): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { end: bytes - 1, highWaterMark: MiB })) hash.update(chunk)
  return hash.digest('hex')
}

/** A file with some bytes of its own in many places, and holes between them: large to read, small on the disk. */
async function sparseFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'w')
  await file.truncate(size)
  for (let at = 0; at < 64; at += 1) {
    const mark = seededBytes(1000, at + 1)
    await file.write(mark, 0, mark.length, Math.min(Math.floor((size / 63) * at), size - mark.length))
  }
  await file.close()
}

// The way of bytes is the same, whichever database holds their record.
const described = onPostgres ? describe.skip : describe

described('big files', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let server: ServerProcess
  let big: string
  const addressOf = (file: string) => `${server.url}/api/packages/admin/generic/big/1.0/${file}`

  beforeAll(async () => {
    if (!roomy && !process.env.CI) return
    expect(roomy).toBe(true)
    folder = await temporaryFolder()
    server = await ServerProcess.start(join(folder.path, 'data'), { STOWAGE_BLOB_GRACE: '0' })
    big = join(folder.path, 'big')
    await sparseFile(big, 4 * GiB)
  })

  afterAll(async () => {
    await server?.kill()
    await folder?.[Symbol.asyncDispose]()
  })

  bigTestWith('curl')(
    '4 GiB go in and come out whole, in little memory',
    async () => {
      const expected = await sha256OfFile(big)
      using memory = new MemoryWatch(server.child.pid)
      const put = await run('curl', '-sS', '-u', user, '-T', big, '-w', '%{http_code}', addressOf('four'))
      expect(put).toBe('201')
      const head = await fetch(addressOf('four'), { method: 'HEAD' })
      expect(head.headers.get('content-length')).toBe(String(4 * GiB))
      expect(head.headers.get('x-checksum-sha256')).toBe(expected)
      const [sum] = (await run('sh', '-c', `curl -sSf '${addressOf('four')}' | sha256sum`)).split(' ')
      expect(sum).toBe(expected)
      const tail = await fetch(addressOf('four'), { headers: { Range: 'bytes=-1000' } })
      expect(tail.status).toBe(206)
      expect(Buffer.compare(await tail.bytes(), seededBytes(1000, 64))).toBe(0)
      console.log(`big files: 4 GiB in and out, at most ${memory.peak.toFixed(0)} MiB`)
      expect(memory.peak).toBeLessThan(mostForOne)
    },
    900_000,
  )

  bigTestWith('curl')(
    '1 GiB of unknown length, chunked',
    async () => {
      using memory = new MemoryWatch(server.child.pid)
      const upload = `head -c ${GiB} '${big}' | curl -sS -u '${user}' -T - -w '%{http_code}' '${addressOf('chunked')}'`
      expect(await run('sh', '-c', upload)).toBe('201')
      const head = await fetch(addressOf('chunked'), { method: 'HEAD' })
      expect(head.headers.get('content-length')).toBe(String(GiB))
      expect(head.headers.get('x-checksum-sha256')).toBe(await sha256OfFile(big, GiB))
      console.log(`big files: 1 GiB chunked, at most ${memory.peak.toFixed(0)} MiB`)
      expect(memory.peak).toBeLessThan(mostBesideDigests)
    },
    600_000,
  )

  bigTestWith('curl')(
    '1 GiB as a form',
    async () => {
      using memory = new MemoryWatch(server.child.pid)
      const part = join(folder.path, 'part')
      await sparseFile(part, GiB)
      const form = ['-X', 'PUT', '-F', `file=@${part}`]
      expect(await run('curl', '-sS', '-u', user, ...form, '-w', '%{http_code}', addressOf('form'))).toBe('201')
      const head = await fetch(addressOf('form'), { method: 'HEAD' })
      expect(head.headers.get('x-checksum-sha256')).toBe(await sha256OfFile(part))
      console.log(`big files: 1 GiB as a form, at most ${memory.peak.toFixed(0)} MiB`)
      expect(memory.peak).toBeLessThan(mostBesideDigests)
    },
    900_000,
  )

  describe('300 MB', () => {
    const size = 300 * MiB
    let whole: string

    beforeAll(async () => {
      if (!roomy) return
      const path = join(folder.path, 'whole')
      const file = await open(path, 'w')
      for (let at = 0; at < size / MiB; at += 1) await file.write(seededBytes(MiB, at + 1))
      await file.close()
      whole = await sha256OfFile(path)
      await run('curl', '-sSf', '-u', user, '-T', path, addressOf('whole'))
    }, 180_000)

    bigTestWith('wget')(
      'wget -c goes on with a broken download',
      async () => {
        const path = join(folder.path, 'by-wget')
        const first = Bun.spawn(['wget', '-q', '--limit-rate=60m', '-O', path, addressOf('whole')], {
          stderr: 'ignore',
        })
        await until(async () => (await stat(path).catch(() => undefined))?.size !== undefined, 'it begins')
        await until(async () => (await stat(path)).size > 40 * MiB, 'a part is there')
        first.kill('SIGKILL')
        await first.exited
        const part = (await stat(path)).size
        expect(part).toBeLessThan(size)
        const log = join(folder.path, 'wget.log')
        await run('wget', '-c', '-o', log, '-O', path, addressOf('whole'))
        expect(await Bun.file(log).text()).toContain('206 Partial Content')
        expect(await sha256OfFile(path)).toBe(whole)
        // Once more, with everything there: nothing is fetched again, and nothing is spoilt.
        await run('wget', '-c', '-o', log, '-O', path, addressOf('whole'))
        expect(await sha256OfFile(path)).toBe(whole)
      },
      300_000,
    )

    bigTestWith('aria2c')(
      'aria2c -x8 gets it in eight pieces at once',
      async () => {
        const out = ['-d', folder.path, '-o', 'by-aria2']
        await run(
          'aria2c',
          '-q',
          '-x8',
          '-s8',
          '-k1M',
          '--file-allocation=none',
          '--no-conf',
          ...out,
          addressOf('whole'),
        )
        expect(await sha256OfFile(join(folder.path, 'by-aria2'))).toBe(whole)
      },
      300_000,
    )

    bigTestWith('curl')(
      '16 slow uploads and 64 slow downloads at once need little memory, and all come out right',
      async () => {
        const before = ownMemory(server.child.pid)
        using memory = new MemoryWatch(server.child.pid)
        const downloads = Array.from({ length: 64 }, (_, index) => new SlowDownload(server.port, index % 4 === 3))
        const parts = Array.from({ length: 40 }, (_, at) => seededBytes(128 * 1024, at + 1000))
        const uploads = await Promise.all(
          Array.from({ length: 16 }, (_, index) =>
            SlowUpload.begin(
              server.port,
              `/api/packages/admin/generic/big/1.0/slow-${index}`,
              { Authorization: basic('admin', adminPassword) },
              index % 2 === 0 ? parts.length * 128 * 1024 : undefined,
            ),
          ),
        )
        for (const part of parts) {
          for (const [index, upload] of uploads.entries()) {
            if (index % 2 === 0) await upload.send(part)
            else
              await upload.send(
                Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]),
              )
          }
          for (const download of downloads) await download.some()
        }
        const growth = memory.peak - before
        console.log(
          `big files: ${before.toFixed(0)} MiB, and with 80 slow transfers at most ${memory.peak.toFixed(0)} MiB`,
        )
        expect(growth).toBeLessThan(mostForMany)
        for (const [index, upload] of uploads.entries()) if (index % 2 === 1) await upload.send('0\r\n\r\n')
        for (const upload of uploads) expect((await upload.answer()).status).toBe(201)
        const expected = sha256Of(Buffer.concat(parts))
        for (let index = 0; index < uploads.length; index += 1) {
          const answer = await fetch(addressOf(`slow-${index}`))
          expect(sha256Of(await answer.bytes())).toBe(expected)
        }
        // Some go on to their end; the others hang up.
        const [plain, , , ranges] = downloads
        for (const download of downloads) if (download !== plain && download !== ranges) download.hangUp()
        expect(await plain?.rest()).toBe(whole)
        const [, second] = [await ranges?.rest(), ranges?.received]
        // Both ranges, and what stands between them.
        expect(second).toBeGreaterThan(size)
        expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
      },
      600_000,
    )
  })
})

/** A download that reads only when told to; the rest waits where the server has it. */
class SlowDownload {
  readonly #socket: Socket
  readonly #hash = createHash('sha256')
  #head = ''
  #open = true
  #changed: () => void = () => undefined
  received = 0

  constructor(port: number, ranges: boolean) {
    this.#socket = connect(port, '127.0.0.1')
    const range = ranges ? 'Range: bytes=0-149999999,150000000-\r\n' : ''
    this.#socket.write(
      `GET /api/packages/admin/generic/big/1.0/whole HTTP/1.1\r\nHost: stowage\r\n${range}Connection: close\r\n\r\n`,
    )
    this.#socket.pause()
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      this.#open = false
      this.#changed()
    })
  }

  #take(chunk: Buffer): void {
    let rest = chunk
    if (!this.#head.includes('\r\n\r\n')) {
      const before = this.#head.length
      this.#head += chunk.toString('latin1')
      const end = this.#head.indexOf('\r\n\r\n')
      if (end < 0) return
      rest = chunk.subarray(end + 4 - before)
      this.#head = this.#head.slice(0, end + 4)
    }
    this.#hash.update(rest)
    this.received += rest.length
    this.#changed()
  }

  /** A few more bytes, then it stops reading again. */
  async some(): Promise<void> {
    if (!this.#open) throw new Error(`the server hung up after ${this.received} bytes`)
    const more = new Promise<void>((resolve) => {
      this.#changed = resolve
    })
    this.#socket.resume()
    await more
    this.#socket.pause()
  }

  /** Everything that is left; the SHA-256 of all of the body. */
  async rest(): Promise<string> {
    this.#socket.resume()
    while (this.#open) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
    return this.#hash.digest('hex')
  }

  hangUp(): void {
    this.#open = false
    this.#socket.destroy()
  }
}
