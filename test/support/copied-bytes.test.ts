import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { CopiedBytes } from './copied-bytes.ts'
import { temporaryFolder } from './server-process.ts'

const copying = `
  const bytes = new Uint8Array(1000)
  const copy = new Uint8Array(bytes)
  copy.set(bytes.subarray(0, 500))
  bytes.slice(0, 100)
  bytes.subarray(0, 100)
  Buffer.from(bytes)
  Buffer.from(bytes.buffer)
  Buffer.concat([bytes, copy])
  await new Response(bytes).bytes()
  const blob = new Blob([bytes.subarray(0, 10), 'xyz'])
  new Blob([blob])
  new Blob([blob, 'x'])
  new Blob()
  const { port1 } = new MessageChannel()
  port1.postMessage({ bytes, handedOver: [copy] }, [copy.buffer])
  const isAsEver = copy instanceof Uint8Array && Buffer.from('x') instanceof Uint8Array && Bun.file('x') instanceof Blob
  process.exit(isAsEver ? 0 : 1)
`

test('bytes are counted as a process copies them, and what is no copy is not', async () => {
  await using folder = await temporaryFolder()
  const copied = new CopiedBytes(join(folder.path, 'counts'))
  const child = Bun.spawn([process.execPath, '-e', copying], { env: { ...process.env, ...copied.settings } })
  expect(await child.exited).toBe(0)
  const counts = Object.entries(copied.now()).filter(([, bytes]) => bytes > 0)
  expect(Object.fromEntries(counts)).toEqual({
    'new Uint8Array': 1000,
    'new Blob': 13 + 14,
    'TypedArray.set': 500,
    'TypedArray.slice': 100,
    'Buffer.from': 1001,
    'Buffer.concat': 2000,
    'Response.bytes': 1000,
    postMessage: 1000,
  })
})
