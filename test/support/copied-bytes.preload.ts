/*
 * Loaded before a server of which a test counts the bytes that JavaScript copies. Whatever copies bytes does as ever, and adds
 * up how many. The runtime's own copies on their way from and to the kernel are none of JavaScript's: those are system calls.
 */
import { copiedBytesFile, type WayToCopy, waysToCopy } from './copied-bytes.ts'

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown
type Holder = Record<string, unknown>

const counts = new Float64Array(Bun.mmap(process.env[copiedBytesFile] ?? '', { shared: true }).buffer)

function count(way: WayToCopy, bytes: number): void {
  counts[waysToCopy.indexOf(way)] = (counts[waysToCopy.indexOf(way)] ?? 0) + bytes
}

/** Puts a function in the place of one that copies: it does the same, and counts what `bytes` says of arguments and answer. */
function watch(
  way: WayToCopy,
  holder: object,
  name: string,
  bytes: (args: unknown[], answer: unknown) => number,
): void {
  const original = (holder as Holder)[name] as AnyFunction
  const watched: AnyFunction = function (...args) {
    const answer = original.apply(this, args)
    if (answer instanceof Promise) answer.then((value) => count(way, bytes(args, value)), ignored)
    else count(way, bytes(args, answer))
    return answer
  }
  ;(holder as Holder)[name] = watched
}

const ignored = () => undefined

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength
  return Array.isArray(value) ? value.length : 0
}

const sizeOfAnswer = (_: unknown[], answer: unknown) => sizeOf(answer)
const sizeOfFirst = ([first]: unknown[]) => sizeOf(first)
const answered = (_: unknown[], answer: unknown) => Number(answer)

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
watch('TypedArray.set', typedArray, 'set', sizeOfFirst)
watch('TypedArray.slice', typedArray, 'slice', sizeOfAnswer)
watch('TypedArray.copyWithin', typedArray, 'copyWithin', sizeOfAnswer)
watch('Uint8Array.from', Uint8Array, 'from', sizeOfAnswer)
watch('ArrayBuffer.slice', ArrayBuffer.prototype, 'slice', sizeOfAnswer)
// Of an ArrayBuffer it makes a view.
watch('Buffer.from', Buffer, 'from', ([first], answer) => (first instanceof ArrayBuffer ? 0 : sizeOf(answer)))
watch('Buffer.concat', Buffer, 'concat', sizeOfAnswer)
watch('Buffer.copyBytesFrom', Buffer, 'copyBytesFrom', sizeOfAnswer)
watch('Buffer.copy', Buffer.prototype, 'copy', answered)
watch('Buffer.toString', Buffer.prototype, 'toString', sizeOfAnswer)
watch('Buffer.write', Buffer.prototype, 'write', answered)
watch('TextEncoder.encode', TextEncoder.prototype, 'encode', sizeOfAnswer)
watch('TextEncoder.encodeInto', TextEncoder.prototype, 'encodeInto', sizeOfFirst)
watch('TextDecoder.decode', TextDecoder.prototype, 'decode', sizeOfFirst)
watch('Blob.arrayBuffer', Blob.prototype, 'arrayBuffer', sizeOfAnswer)
watch('Blob.bytes', Blob.prototype, 'bytes', sizeOfAnswer)
watch('Blob.text', Blob.prototype, 'text', sizeOfAnswer)
watch('Request.arrayBuffer', Request.prototype, 'arrayBuffer', sizeOfAnswer)
watch('Request.bytes', Request.prototype, 'bytes', sizeOfAnswer)
watch('Request.text', Request.prototype, 'text', sizeOfAnswer)
watch('Response.arrayBuffer', Response.prototype, 'arrayBuffer', sizeOfAnswer)
watch('Response.bytes', Response.prototype, 'bytes', sizeOfAnswer)
watch('Response.text', Response.prototype, 'text', sizeOfAnswer)
for (const { prototype } of [Worker, MessagePort]) watch('postMessage', prototype, 'postMessage', bytesOfMessage)

// Whoever counts this may watch the system calls too, which makes each of them slow. Nothing shall take the disk for slow then.
const now = performance.now.bind(performance)
performance.now = () => now() / 1000

/** The same for what is called with `new`, which no plain function can be put in the place of. */
function watchNew(
  way: WayToCopy,
  name: 'Uint8Array' | 'Blob',
  bytes: (args: unknown[], answer: unknown) => number,
): void {
  ;(globalThis as Holder)[name] = new Proxy(globalThis[name], {
    construct(target, args, asked) {
      const answer = Reflect.construct(target, args, asked)
      count(way, bytes(args, answer))
      return answer
    },
  })
}

watchNew('new Uint8Array', 'Uint8Array', ([first]) =>
  ArrayBuffer.isView(first) || Array.isArray(first) ? sizeOf(first) : 0,
)
// One of a single Blob shares its bytes.
watchNew('new Blob', 'Blob', ([parts = []], answer) => {
  const [first, ...others] = parts as unknown[]
  return first instanceof Blob && others.length === 0 ? 0 : (answer as Blob).size
})

/** Bytes of a message that are neither handed over nor shared. */
function bytesOfMessage([message, options]: unknown[]): number {
  const transfer = Array.isArray(options) ? options : ((options as { transfer?: unknown[] })?.transfer ?? [])
  const size = (value: unknown): number => {
    const buffer = ArrayBuffer.isView(value) ? value.buffer : value
    if (buffer instanceof SharedArrayBuffer || transfer.includes(buffer)) return 0
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength
    if (typeof value !== 'object' || value === null) return 0
    return Object.values(value).reduce((sum: number, inner) => sum + size(inner), 0)
  }
  return size(message)
}
