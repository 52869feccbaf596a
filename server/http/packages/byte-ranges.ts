import { randomBytes } from 'node:crypto'
import { contentRange, type Span } from '../../lib/range.ts'

/** Such answers are streamed, and a client that does not read holds some 600 KB of each: so not more at a time. */
const mostAtOnce = 64
let underWay = 0

/** Whether another answer in parts may begin; else the whole file is as right an answer (RFC 9110 §14.2). */
export function mayAnswerInParts(): boolean {
  return underWay < mostAtOnce
}

/** Several ranges in one answer: `multipart/byteranges` (RFC 9110 §14.6). Parts are opened one after the other. */
export function byteRanges(
  spans: readonly Span[],
  fileSize: number,
  open: (span: Span) => Blob | ReadableStream<Uint8Array>,
  failed: (error: unknown) => void,
): { body: ReadableStream<Uint8Array>; size: number; contentType: string } {
  const boundary = randomBytes(16).toString('hex')
  const heads = spans.map((span, index) =>
    Buffer.from(
      `${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: ${contentRange(span, fileSize)}\r\n\r\n`,
    ),
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  // The first part is opened before the answer begins: bytes that cannot be read must still be able to become an error.
  const first = spans[0] && open(spans[0])
  underWay += 1
  let ended = false
  const end = () => {
    if (!ended) underWay -= 1
    ended = true
  }
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (const [index, span] of spans.entries()) {
      yield heads[index] as Uint8Array
      yield* bytesIn(index === 0 && first ? first : open(span), span.end - span.start)
    }
    yield tail
  }
  const source = pieces()
  // Nothing is fetched ahead: a client that does not read costs one piece.
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await source.next().catch((error) => {
          end()
          // The connection breaks off, which the client sees; nobody else would tell.
          failed(error)
          throw error
        })
        if (done) {
          end()
          controller.close()
        } else controller.enqueue(value)
      },
      cancel: async () => {
        end()
        await source.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
  const size = Buffer.concat([...heads, tail]).byteLength + spans.reduce((sum, { start, end }) => sum + end - start, 0)
  return { body, size, contentType: `multipart/byteranges; boundary=${boundary}` }
}

/** Bytes of a piece. */
const pieceSize = 64 * 1024

/**
 * Exactly `size` bytes, or a failure: an answer in parts need not have a length that a client could compare. `Blob.stream` would read
 * large pieces ahead of the client.
 */
async function* bytesIn(part: Blob | ReadableStream<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let seen = 0
  for await (const piece of part instanceof Blob ? piecesOf(part, size) : part) {
    seen += piece.byteLength
    yield piece
  }
  if (seen !== size) throw new Error(`a part has ${seen} bytes where ${size} should be`)
}

async function* piecesOf(part: Blob, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += pieceSize) {
    const end = Math.min(at + pieceSize, size)
    const piece = new Uint8Array(await part.slice(at, end).arrayBuffer())
    if (piece.byteLength !== end - at) throw new Error('the bytes of a file end early')
    yield piece
  }
}
