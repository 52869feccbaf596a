import { expect, test } from 'bun:test'
import type { BlobStore } from '../../server/blobs/blob-store.ts'
import { isCold, startStowage } from '../support/stowage.ts'

const mebibyte = 1024 * 1024

test.skipIf(isCold)(
  'a file of 1 MiB is read whole for a client, unless so many requests are open that all of those would fill the memory',
  async () => {
    let readWhole = 0
    const ends: (() => void)[] = []
    await using stowage = await startStowage({
      replace: {
        blobs: (store): BlobStore => {
          const others: Partial<BlobStore> = {
            bytesAtOnce: (location, size) => {
              const bytes = store.bytesAtOnce?.(location, size)
              if (bytes) readWhole += 1
              return bytes
            },
            // What is larger comes to its end only when it is told to.
            body: (location) => {
              const whole = store.body(location) as Blob
              if (whole.size <= mebibyte) return whole
              return new ReadableStream({
                start: (stream) => {
                  stream.enqueue(new Uint8Array(1))
                  ends.push(() => stream.close())
                },
              })
            },
          }
          return new Proxy(store, {
            get: (target, name: keyof BlobStore) => {
              const value = others[name] ?? target[name]
              return typeof value === 'function' ? value.bind(target) : value
            },
          })
        },
        diskPatience: Number.POSITIVE_INFINITY,
      },
    })
    const bytes = (size: number) => new Uint8Array(size).fill(7)
    for (const [file, size] of [
      ['small', 65_536],
      ['medium', mebibyte],
      ['large', mebibyte + 1],
    ] as const) {
      expect((await stowage.admin.put({ file }, bytes(size))).status).toBe(201)
    }
    const wholeReadsOf = async (file: string) => {
      const before = readWhole
      const answer = await stowage.anonymous.get({ file })
      const expected = bytes(file === 'small' ? 65_536 : mebibyte)
      expect(Buffer.compare(await answer.bytes(), expected)).toBe(0)
      return readWhole - before
    }
    expect(await wholeReadsOf('medium')).toBe(1)

    const open = Array.from({ length: 32 }, () => stowage.anonymous.get({ file: 'large' }))
    const answers = await Promise.all(open)
    expect(await wholeReadsOf('medium')).toBe(0)
    expect(await wholeReadsOf('small')).toBe(1)

    for (const end of ends) end()
    await Promise.allSettled(answers.map((answer) => answer.bytes()))
    expect(await wholeReadsOf('medium')).toBe(1)
  },
  30_000,
)
