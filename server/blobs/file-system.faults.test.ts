import { expect, test } from 'bun:test'
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { ProblemCode } from '../problems.ts'
import { Problem } from '../problems.ts'
import type { BlobStore, Location } from './blob-store.ts'
import type { FileCalls } from './file-calls.ts'
import { systemCalls } from './file-calls.ts'
import { openFileSystemBlobStore } from './file-system.ts'
import { ScratchFolder } from './scratch-folder.ts'

type CallName = keyof FileCalls
type Fault = (name: CallName, number: number) => string | undefined

/** The system's calls, numbered from 0 and failing as the test says: an errno, or `short` for half a write. */
class FaultyCalls {
  readonly made: CallName[] = []
  fault: Fault = () => undefined

  readonly calls: FileCalls = {
    open: (...args) => this.#call('open', () => systemCalls.open(...args)),
    write: (handle, bytes) =>
      this.#call(
        'write',
        () => systemCalls.write(handle, bytes),
        () => systemCalls.write(handle, bytes.subarray(0, Math.ceil(bytes.length / 2))),
      ),
    read: (...args) => this.#call('read', () => systemCalls.read(...args)),
    fdatasync: (...args) => this.#call('fdatasync', () => systemCalls.fdatasync(...args)),
    fsync: (...args) => this.#call('fsync', () => systemCalls.fsync(...args)),
    close: async (handle) => {
      // As Linux does it: the handle is gone even when the call reports a failure.
      const closed = systemCalls.close(handle)
      await this.#call('close', () => closed).finally(() => closed)
    },
    unlink: (...args) => this.#call('unlink', () => systemCalls.unlink(...args)),
    mkdir: (...args) => this.#call('mkdir', () => systemCalls.mkdir(...args)),
    rmdir: (...args) => this.#call('rmdir', () => systemCalls.rmdir(...args)),
    readdir: (...args) => this.#call('readdir', () => systemCalls.readdir(...args)),
    size: (...args) => this.#call('size', () => systemCalls.size(...args)),
    space: (...args) => this.#call('space', () => systemCalls.space(...args)),
  }

  /** Counts from 0 again, and fails as told from now on. */
  arm(fault: Fault): void {
    this.made.length = 0
    this.fault = fault
  }

  heal(): void {
    this.fault = () => undefined
  }

  async #call<Result>(name: CallName, call: () => Promise<Result>, shortCall = call): Promise<Result> {
    const code = this.fault(name, this.made.push(name) - 1)
    if (code === undefined) return call()
    if (code === 'short') return shortCall()
    throw failure(code)
  }
}

interface Bench {
  scratch: ScratchFolder
  faulty: FaultyCalls
  store: BlobStore
}

async function onBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  await using scratch = await ScratchFolder.make()
  const faulty = new FaultyCalls()
  const store = await openFileSystemBlobStore({ folder: scratch.path, calls: faulty.calls })
  await work({ scratch, faulty, store })
  await store.close()
  expect(handlesIn(scratch)).toEqual([])
}

const chunks = [3, 5000, 1, 300_000, 70_000].map((size, index) => new Uint8Array(size).fill(index + 1))
const whole = Buffer.concat(chunks)

async function publish(store: BlobStore, lease = 'lease'): Promise<Location> {
  await using staged = await store.stage(lease)
  for (const chunk of chunks) await staged.write(chunk)
  await staged.commit()
  staged.keep()
  return staged.location
}

async function expectPublished(store: BlobStore, location: Location): Promise<void> {
  expect(Buffer.compare(await new Response(store.body(location)).bytes(), whole)).toBe(0)
}

const problemCodes: [string, ProblemCode][] = [
  ['ENOSPC', 'storage-full'],
  ['EIO', 'storage-unavailable'],
  ['EACCES', 'storage-unavailable'],
]

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: made to fail at /secret/path`), { code })
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error) => error,
  )
}

function expectProblem(error: unknown, code: ProblemCode, errno: string): void {
  expect(error).toBeInstanceOf(Problem)
  expect(error).toMatchObject({ code, cause: { code: errno } })
  expect(String(error)).not.toContain('/')
}

/** What this process holds open in the folder. Known on Linux only; elsewhere nothing is ever found. */
function handlesIn(scratch: ScratchFolder): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc/self/fd')
    .map((handle) => {
      try {
        return readlinkSync(join('/proc/self/fd', handle))
      } catch {
        return ''
      }
    })
    .filter((target) => target.startsWith(scratch.path))
}

async function callsOf(work: (bench: Bench) => Promise<unknown>): Promise<CallName[]> {
  let made: CallName[] = []
  await onBench(async (bench) => {
    bench.faulty.arm(() => undefined)
    await work(bench)
    made = [...bench.faulty.made]
  })
  return made
}

const extents = [
  ['once', (at: number, number: number) => number === at],
  ['and so does every later one', (at: number, number: number) => number >= at],
] as const

const eachFault = problemCodes.flatMap(([errno, code]) =>
  extents.map(([extent, hits]) => [errno, extent, code, hits] as const),
)

test('a publish makes the calls that these tests are about', async () => {
  const made = await callsOf(({ store }) => publish(store))
  expect(made.filter((name) => name === 'mkdir')).toHaveLength(2)
  // The root for the lease, the lease for the folder, the folder for the file.
  expect(made.filter((name) => name === 'fsync')).toHaveLength(3)
  expect(made.filter((name) => name === 'fdatasync')).toHaveLength(1)
  expect(made.filter((name) => name === 'write').length).toBeGreaterThanOrEqual(3)
})

test.each(eachFault)(
  'whichever call of a publish fails with %s (%s), nothing is left and the next one works',
  async (errno, _, code, hits) => {
    const made = await callsOf(({ store }) => publish(store))
    for (const at of made.keys()) {
      await onBench(async ({ store, faulty, scratch }) => {
        faulty.arm((_name, number) => (hits(at, number) ? errno : undefined))
        expectProblem(await failureOf(publish(store)), code, errno)
        faulty.heal()
        await store.tidy()
        expect(await scratch.files()).toEqual([])
        await expectPublished(store, await publish(store))
        expect(await scratch.files()).toHaveLength(1)
      })
    }
  },
)

test.each(eachFault)(
  'whichever call of a second publish fails with %s (%s), the first blob is untouched',
  async (errno, _, code, hits) => {
    const made = (await callsOf(({ store }) => publish(store).then(() => publish(store)))).slice(
      (await callsOf(({ store }) => publish(store))).length,
    )
    for (const at of made.keys()) {
      await onBench(async ({ store, faulty }) => {
        const first = await publish(store)
        faulty.arm((_name, number) => (hits(at, number) ? errno : undefined))
        expectProblem(await failureOf(publish(store)), code, errno)
        faulty.heal()
        await store.tidy()
        expect(await Array.fromAsync(store.locations('lease'))).toEqual([first])
        await expectPublished(store, first)
        await expectPublished(store, await publish(store))
      })
    }
  },
)

test.each(eachFault)(
  'whichever call of a removal fails with %s (%s), the next one works',
  async (errno, _, code, hits) => {
    const removal = async ({ store, faulty }: Bench, fault: Fault) => {
      const locations = [await publish(store, 'one'), await publish(store, 'one'), await publish(store, 'two')]
      faulty.arm(fault)
      return { locations, error: (await store.remove(locations)).failure }
    }
    const made = await callsOf((bench) => removal(bench, () => undefined))
    expect(made.filter((name) => name === 'fsync')).toHaveLength(2)
    for (const at of made.keys()) {
      await onBench(async (bench) => {
        const { locations, error } = await removal(bench, (_name, number) => (hits(at, number) ? errno : undefined))
        expectProblem(error, code, errno)
        bench.faulty.heal()
        await bench.store.remove(locations)
        expect(await bench.scratch.files()).toEqual([])
      })
    }
  },
)

test('one blob that cannot be removed does not keep the others', async () => {
  await onBench(async ({ store, faulty }) => {
    const locations = [await publish(store), await publish(store), await publish(store)]
    faulty.arm((_name, number) => (number === 0 ? 'EIO' : undefined))
    expect((await store.remove(locations)).failure).toBeInstanceOf(Problem)
    expect(await Array.fromAsync(store.locations('lease'))).toEqual(locations.slice(0, 1))
  })
})

test.each(eachFault)(
  'whichever call of a probe fails with %s (%s), nothing is left and the next one works',
  async (errno, _, code, hits) => {
    const made = await callsOf(({ store }) => store.probe())
    expect(made).toEqual(['mkdir', 'open', 'write', 'fdatasync', 'read', 'close', 'unlink'])
    for (const at of made.keys()) {
      await onBench(async ({ store, faulty, scratch }) => {
        faulty.arm((_name, number) => (hits(at, number) ? errno : undefined))
        expectProblem(await failureOf(store.probe()), code, errno)
        faulty.heal()
        await store.tidy()
        expect(await scratch.files()).toEqual([])
        await store.probe()
      })
    }
  },
)

test('a probe sees bytes that come back changed', async () => {
  await onBench(async ({ store, faulty }) => {
    faulty.calls.read = async (_handle, bytes) => bytes.fill(1).length
    expect(await failureOf(store.probe())).toMatchObject({ code: 'storage-unavailable' })
  })
})

test.each(eachFault)(
  'whichever call of opening a store fails with %s (%s), it is a problem and no handle stays open',
  async (errno, _, code, hits) => {
    const opening = async (faulty: FaultyCalls, scratch: ScratchFolder) => {
      const store = await openFileSystemBlobStore({ folder: join(scratch.path, 'a', 'b'), calls: faulty.calls })
      await store.close()
    }
    await using counted = await ScratchFolder.make()
    const clean = new FaultyCalls()
    await opening(clean, counted)
    for (const at of clean.made.keys()) {
      await using scratch = await ScratchFolder.make()
      const faulty = new FaultyCalls()
      faulty.arm((_name, number) => (hits(at, number) ? errno : undefined))
      expectProblem(await failureOf(opening(faulty, scratch)), code, errno)
      expect(handlesIn(scratch)).toEqual([])
      faulty.heal()
      await opening(faulty, scratch)
    }
  },
)

test('a write of half the bytes is gone on with, whichever it is', async () => {
  const made = await callsOf(({ store }) => publish(store))
  for (const at of made.keys()) {
    if (made[at] !== 'write') continue
    await onBench(async ({ store, faulty }) => {
      faulty.arm((_name, number) => (number === at ? 'short' : undefined))
      await expectPublished(store, await publish(store))
      expect(faulty.made).toHaveLength(made.length + 1)
    })
  }
})

test('a disk that only ever takes half is written to the end', async () => {
  await onBench(async ({ store, faulty }) => {
    faulty.arm((name) => (name === 'write' ? 'short' : undefined))
    await expectPublished(store, await publish(store))
    await store.probe()
  })
})

test('a disk that takes nothing is a problem, not an endless loop', async () => {
  await onBench(async ({ store, faulty }) => {
    faulty.calls.write = async () => 0
    expect(await failureOf(publish(store))).toMatchObject({ code: 'storage-unavailable' })
  })
})

test.each(['EDQUOT', 'EFBIG'])('%s means that there is no room', async (errno) => {
  await onBench(async ({ store, faulty }) => {
    faulty.arm((name) => (name === 'write' ? errno : undefined))
    expectProblem(await failureOf(publish(store)), 'storage-full', errno)
  })
})

test('after a failed write everything is refused, and nothing more is sent to the disk', async () => {
  await onBench(async ({ store, faulty }) => {
    await using staged = await store.stage('lease')
    faulty.arm((name, number) => (name === 'write' && number === 0 ? 'ENOSPC' : undefined))
    const attempt = async () => {
      for (const chunk of chunks) await staged.write(chunk)
    }
    expect(await failureOf(attempt())).toMatchObject({ code: 'storage-full' })
    faulty.heal()
    expect(await failureOf(staged.write(new Uint8Array(1)))).toMatchObject({ code: 'storage-full' })
    expect(await failureOf(staged.commit())).toMatchObject({ code: 'storage-full' })
    expect(faulty.made).toEqual(['write'])
  })
})

test('a failed fdatasync is not tried again on that file', async () => {
  await onBench(async ({ store, faulty }) => {
    faulty.arm((name) => (name === 'fdatasync' ? 'EIO' : undefined))
    {
      await using staged = await store.stage('lease')
      await staged.write(new Uint8Array(10))
      expect(await failureOf(staged.commit())).toMatchObject({ code: 'storage-unavailable' })
      faulty.heal()
      expect(await failureOf(staged.commit())).toMatchObject({ code: 'storage-unavailable' })
    }
    expect(faulty.made.filter((name) => name === 'fdatasync')).toHaveLength(1)
  })
})

test('when a shared folder fsync fails, all who had a file there fail, and the next upload goes elsewhere', async () => {
  await onBench(async ({ store, faulty, scratch }) => {
    const uploads = await Promise.all(Array.from({ length: 5 }, () => store.stage('lease')))
    const late = await store.stage('lease')
    faulty.arm((name) => (name === 'fsync' ? 'EIO' : undefined))
    const outcomes = await Promise.allSettled(uploads.map((staged) => staged.commit()))
    expect(outcomes.map(({ status }) => status)).toEqual(Array(5).fill('rejected'))
    faulty.heal()
    // Its file was made before the failure, so its entry may be among what was lost.
    expect(await failureOf(late.commit())).toMatchObject({ code: 'storage-unavailable' })
    expect(faulty.made.filter((name) => name === 'fsync')).toHaveLength(1)
    await Promise.all([...uploads, late].map((staged) => staged[Symbol.asyncDispose]()))
    expect(await scratch.files()).toEqual([])
    const location = await publish(store)
    expect(location.split('/')[1]).not.toBe(late.location.split('/')[1])
    await expectPublished(store, location)
  })
})

test('a folder whose own entry may be lost is taken away again', async () => {
  await onBench(async ({ store, faulty, scratch }) => {
    faulty.arm((name) => (name === 'fsync' ? 'EIO' : undefined))
    expectProblem(await failureOf(store.stage('lease')), 'storage-unavailable', 'EIO')
    expect(readdirSync(scratch.path)).toEqual([])
  })
})

test('what could not be dropped is dropped by a later tidy', async () => {
  await onBench(async ({ store, faulty, scratch }) => {
    {
      await using staged = await store.stage('lease')
      await staged.commit()
      faulty.arm((name) => (name === 'unlink' ? 'EIO' : undefined))
    }
    expect(await scratch.files()).toHaveLength(1)
    expectProblem(await failureOf(store.tidy()), 'storage-unavailable', 'EIO')
    faulty.heal()
    await store.tidy()
    expect(await scratch.files()).toEqual([])
    faulty.arm(() => undefined)
    await store.tidy()
    expect(faulty.made).toEqual([])
  })
})

test('a folder that cannot be read or removed is a problem', async () => {
  await onBench(async ({ store, faulty }) => {
    const location = await publish(store)
    faulty.arm((name) => (name === 'readdir' ? 'EIO' : undefined))
    expectProblem(await failureOf(Array.fromAsync(store.locations('lease'))), 'storage-unavailable', 'EIO')
    expectProblem(await failureOf(store.forget('lease')), 'storage-unavailable', 'EIO')
    await store.remove([location])
    faulty.arm((name) => (name === 'rmdir' ? 'EACCES' : undefined))
    expectProblem(await failureOf(store.forget('lease')), 'storage-unavailable', 'EACCES')
    faulty.heal()
    await store.forget('lease')
  })
})

test('failed uploads give their buffers back', async () => {
  await onBench(async ({ store, faulty }) => {
    faulty.arm((name) => (name === 'write' ? 'EIO' : undefined))
    for (let round = 0; round < 300; round += 1) expect(await failureOf(publish(store))).toBeInstanceOf(Problem)
    faulty.heal()
    const sent: Uint8Array[] = []
    faulty.calls.write = (handle, bytes) => {
      sent.push(bytes)
      return systemCalls.write(handle, bytes)
    }
    await expectPublished(store, await publish(store))
    // Without a buffer the caller's own chunk would have been written.
    expect(sent.some((bytes) => chunks.some((chunk) => chunk.buffer === bytes.buffer))).toBe(false)
  })
})
