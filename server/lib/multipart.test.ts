import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { firstFilePart, MultipartError, openFirstFile } from './multipart.ts'

/** RFC 2046 §5.1.1. */
const boundaryCharacters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=?"
const anyBoundary = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...boundaryCharacters, ' '), maxLength: 69 }),
    fc.constantFrom(...boundaryCharacters),
  )
  .map((parts) => parts.join(''))

const fieldHead = 'Content-Disposition: form-data; name="note"'
const fileHead =
  'Content-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: application/octet-stream'

/** A form of these parts, each with its header lines and its bytes. */
function form(boundary: string, ...parts: [head: string, bytes: Uint8Array | string][]): Buffer {
  const written = parts.flatMap(([head, bytes]) => [`--${boundary}\r\n${head}\r\n\r\n`, bytes, '\r\n'])
  return Buffer.concat([...written, `--${boundary}--\r\n`].map((piece) => Buffer.from(piece)))
}

const typeWith = (boundary: string) => `multipart/form-data; boundary="${boundary}"`

async function* chunks(bytes: Buffer, sizes: readonly number[] = []): AsyncGenerator<Uint8Array> {
  let start = 0
  for (const size of sizes) {
    if (start + size >= bytes.length) break
    yield bytes.subarray(start, start + size)
    start += size
  }
  yield bytes.subarray(start)
}

async function fileIn(contentType: string, body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = []
  for await (const chunk of firstFilePart(contentType, body)) read.push(Buffer.from(chunk))
  return Buffer.concat(read)
}

const unpacked = (boundary: string, bytes: Buffer) => fileIn(typeWith(boundary), chunks(bytes))

describe('the first file part', () => {
  test('comes out as it went in: any bytes, any chunks, any boundary', async () => {
    // Bytes that look like the boundary's beginning are where a parser goes wrong.
    const nearly = (boundary: string) =>
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        fc.nat({ max: boundary.length + 3 }).map((length) => Buffer.from(`\r\n--${boundary}`.slice(0, length))),
        fc.constantFrom('\r', '\n', '\r\n', '--', '\r\n\r\n').map((text) => Buffer.from(text)),
      )
    const cases = anyBoundary.chain((boundary) =>
      fc.record({
        boundary: fc.constant(boundary),
        file: fc.array(nearly(boundary), { maxLength: 12 }).map((pieces) => Buffer.concat(pieces)),
        sizes: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 }),
        before: fc.boolean(),
        after: fc.boolean(),
      }),
    )
    await fc.assert(
      fc.asyncProperty(cases, async ({ boundary, file, sizes, before, after }) => {
        fc.pre(!Buffer.concat([Buffer.from('\r\n'), file]).includes(`\r\n--${boundary}`))
        const bytes = form(
          boundary,
          ...(before ? [[fieldHead, 'some text'] as [string, string]] : []),
          [fileHead, file],
          ...(after ? [[fileHead, 'another file'] as [string, string]] : []),
        )
        expect((await fileIn(typeWith(boundary), chunks(bytes, sizes))).equals(file)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('comes out the same when every byte is a chunk', async () => {
    const file = Buffer.from('one\r\n--two\r\n--XyZ three\r--XyZ')
    const bytes = form('XyZa', [fieldHead, 'text'], [fileHead, file], [fileHead, 'other'])
    const single = Array.from({ length: bytes.length }, () => 1)
    expect(await fileIn(typeWith('XyZa'), chunks(bytes, single))).toEqual(file)
  })

  test('may be empty', async () => {
    expect(await unpacked('b', form('b', [fileHead, '']))).toEqual(Buffer.alloc(0))
  })

  test('may stand behind fields, a preamble, and before an epilogue', async () => {
    const body = Buffer.concat([
      Buffer.from('This is a message\r\nin several parts.\r\n'),
      form('b', [fieldHead, 'x'.repeat(100_000)], [fileHead, 'one'], [fieldHead, 'more']),
      Buffer.from('The end.\r\n'.repeat(10_000)),
    ])
    expect((await unpacked('b', body)).toString()).toBe('one')
  })

  test.each([
    ['what curl -F sends', 'Content-Disposition: form-data; name="f"; filename="a"\r\nContent-Type: text/plain'],
    ['a file name alone', 'Content-Disposition: form-data; name="f"; filename="a"'],
    ['header names in any case', 'content-disposition: form-data; name=f; filename=a'],
    ['an extended file name', "Content-Disposition: form-data; name=f; filename*=UTF-8''%C3%BC"],
    ['a file name with signs', 'Content-Disposition: form-data; name="f"; filename="a;b \\"c\\".txt"'],
  ])('is found by %s', async (_, head) => {
    expect((await unpacked('b', form('b', [head, 'bytes']))).toString()).toBe('bytes')
  })

  test('is found with a boundary that is not quoted', async () => {
    expect((await fileIn('multipart/form-data;boundary=b-1', chunks(form('b-1', [fileHead, 'one'])))).toString()).toBe(
      'one',
    )
  })
})

describe('a form that cannot be read', () => {
  const boundary = 'XyZ'
  const bytes = form(boundary, [fieldHead, 'text'], [fileHead, 'hello\r\nworld'], [fileHead, 'other'])
  const end = bytes.lastIndexOf(`--${boundary}--`) + boundary.length + 4

  test('is cut off anywhere', async () => {
    for (let length = 0; length < end; length++) {
      const read = unpacked(boundary, bytes.subarray(0, length))
      expect(await read.catch((error) => error)).toBeInstanceOf(MultipartError)
    }
    expect((await unpacked(boundary, bytes.subarray(0, end))).toString()).toBe('hello\r\nworld')
  })

  test('is cut off anywhere, a byte at a time', async () => {
    for (let length = 0; length < end; length += 7) {
      const cut = bytes.subarray(0, length)
      const single = Array.from({ length }, () => 1)
      const read = fileIn(typeWith(boundary), chunks(cut, single))
      expect(await read.catch((error) => error)).toBeInstanceOf(MultipartError)
    }
  })

  test.each<[string, string, Buffer]>([
    ['no file', typeWith('b'), form('b', [fieldHead, 'text'])],
    ['no part', typeWith('b'), Buffer.from('--b--\r\n')],
    ['an empty body', typeWith('b'), Buffer.alloc(0)],
    ['another boundary', typeWith('c'), form('b', [fileHead, 'one'])],
    ['no boundary', 'multipart/form-data', form('b', [fileHead, 'one'])],
    ['an empty boundary', 'multipart/form-data; boundary=', form('b', [fileHead, 'one'])],
    ['a part without a header', typeWith('b'), form('b', ['', 'one'])],
  ])('has %s', async (_, contentType, body) => {
    const read = fileIn(contentType, chunks(body))
    expect(await read.catch((error) => error)).toBeInstanceOf(MultipartError)
  })

  test('has parts without end', async () => {
    const many = Array.from({ length: 1_000 }, (): [string, string] => [fieldHead, 'x'])
    const read = unpacked('b', form('b', ...many, [fileHead, 'one']))
    expect(await read.catch((error) => error)).toBeInstanceOf(MultipartError)
  })

  test('comes from a body that fails: its own error comes out', async () => {
    const hungUp = new Error('the client hung up')
    for (let length = 0; length < end; length += 5) {
      const body = async function* () {
        yield bytes.subarray(0, length)
        throw hungUp
      }
      expect(await fileIn(typeWith(boundary), body()).catch((error) => error)).toBe(hungUp)
    }
  })

  test('any bytes are read or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.string({ unit: 'binary' }), async (noise, parameter) => {
        const type = `multipart/form-data; boundary=${parameter}`
        const read = fileIn(type, chunks(Buffer.concat([Buffer.from(`--${parameter}\r\n`), noise])))
        expect(await read.catch((error) => error)).toBeInstanceOf(MultipartError)
      }),
    )
  })
})

test('strings that nobody closes cost no more than their length', async () => {
  const hostile = `Content-Disposition: form-data; "${'\\"'.repeat(7_500)}`
  const parts = Array.from({ length: 99 }, (): [string, string] => [hostile, 'x'])
  const read = unpacked('b', form('b', ...parts))
  expect(await read.catch((error) => error)).toBeInstanceOf(MultipartError)
}, 3_000)

describe('a long part', () => {
  const chunk = Buffer.alloc(64 * 1024, 'stowage ')
  const count = 3_200

  /** 200 MB, and how many bytes of it were asked for. */
  function longForm() {
    const state = { sent: 0, ended: false }
    const body = async function* () {
      try {
        yield Buffer.from(`--b\r\n${fileHead}\r\n\r\n`)
        for (let index = 0; index < count; index++) {
          state.sent += chunk.length
          yield chunk
        }
        yield Buffer.from('\r\n--b--\r\n')
      } finally {
        state.ended = true
      }
    }
    return { state, body: body() }
  }

  test('is not gathered: the sender waits for the reader', async () => {
    const { state, body } = longForm()
    let [read, ahead] = [0, 0]
    for await (const part of firstFilePart(typeWith('b'), body)) {
      ahead = Math.max(ahead, state.sent - read)
      read += part.length
      // The sender has several turns of the event loop for each of the reader's.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(read).toBe(count * chunk.length)
    expect(ahead).toBeLessThan(1024 * 1024)
  })

  test('is asked for no further when the reader stops', async () => {
    const { state, body } = longForm()
    for await (const part of firstFilePart(typeWith('b'), body)) {
      if (part.length > 0) break
    }
    await new Promise((resolve) => setImmediate(resolve))
    expect(state.sent).toBeLessThan(1024 * 1024)
    expect(state.ended).toBe(true)
  })
})

describe('the name of the first file', () => {
  const nameIn = async (disposition: string) => {
    const body = form('b', [fieldHead, 'before'], [`Content-Disposition: ${disposition}`, 'x'])
    const part = await openFirstFile(typeWith('b'), chunks(body))
    await part.close()
    return part.fileName
  }

  test.each([
    ['form-data; name="file"; filename="a b.txt"', 'a b.txt'],
    ['form-data; name="file"; filename="größe.txt"', 'größe.txt'],
    ['form-data; name="file"; filename="a%22b%0D%0A 100%.txt"', 'a"b\r\n 100%.txt'],
    ['form-data; name="file"; filename="C:\\a.txt"', 'C:\\a.txt'],
    ['form-data; name="; filename=x"; filename="right"', 'right'],
    ['form-data; name="file"; filename=bare.txt', 'bare.txt'],
    ['form-data; name="file"; filename=""', ''],
  ])('%s', async (disposition, name) => {
    expect(await nameIn(disposition)).toBe(name)
  })

  test('comes before its bytes, and who does not want them lets the body go', async () => {
    let isLetGo = false
    async function* body() {
      try {
        yield form('b', [fieldHead, 'before'], [fileHead, 'bytes']).subarray(0, 200)
        throw new Error('nobody asked for more')
      } finally {
        isLetGo = true
      }
    }
    const part = await openFirstFile(typeWith('b'), body())
    expect(part.fileName).toBe('a.bin')
    await part.close()
    expect(isLetGo).toBe(true)
  })
})
