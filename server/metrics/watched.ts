import type { BlobStore, StagedBlob } from '../blobs/blob-store.ts'
import type { Catalogue } from '../catalogue/transaction.ts'

export const storeOperations = [
  'stage',
  'write',
  'commit',
  'read',
  'digest',
  'remove',
  'size',
  'list',
  'forget',
  'tidy',
  'space',
  'probe',
] as const

export type StoreOperation = (typeof storeOperations)[number]

/** Told of a failure, and where it was met. */
type Failed = (operation: StoreOperation, error: unknown) => void

/** The same store; what fails there is told. */
export function watchedBlobs(store: BlobStore, failed: Failed): BlobStore {
  const watched = <Result>(operation: StoreOperation, call: Promise<Result>): Promise<Result> =>
    call.catch((error) => {
      failed(operation, error)
      throw error
    })
  const watchedStaged = (staged: StagedBlob): StagedBlob => ({
    location: staged.location,
    write: (chunk) => watched('write', staged.write(chunk)),
    commit: () => watched('commit', staged.commit()),
    keep: () => staged.keep(),
    [Symbol.asyncDispose]: () => staged[Symbol.asyncDispose](),
  })
  const { presigned, digestsBeside } = store
  return {
    stage: async (lease, expectedSize) => watchedStaged(await watched('stage', store.stage(lease, expectedSize))),
    body: (location, span) => {
      const body = store.body(location, span)
      // Of a disk's file whoever opens it sees whether all is there (`bytesMissing`).
      return body instanceof ReadableStream ? watchedStream(body, (error) => failed('read', error)) : body
    },
    bytesAtOnce: (location, size) => store.bytesAtOnce?.(location, size),
    ...(presigned && { presigned: (location, request) => watched('read', presigned.call(store, location, request)) }),
    ...(digestsBeside && { digestsBeside: (algorithms) => digestsBeside.call(store, algorithms) }),
    digest: (location, algorithms) => watched('digest', store.digest(location, algorithms)),
    remove: async (locations) => {
      const removed = await watched('remove', store.remove(locations))
      if (removed.failure !== undefined) failed('remove', removed.failure)
      return removed
    },
    size: (location) => watched('size', store.size(location)),
    locations: (lease) => watchedList(store.locations(lease), (error) => failed('list', error)),
    forget: (lease) => watched('forget', store.forget(lease)),
    tidy: () => watched('tidy', store.tidy()),
    space: () => watched('space', store.space()),
    probe: () => watched('probe', store.probe()),
    close: () => store.close(),
  }
}

function watchedStream(stream: ReadableStream<Uint8Array>, failed: (error: unknown) => void) {
  const reader = stream.getReader()
  let isRead = true
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          if (isRead) failed(error)
          throw error
        }
      },
      cancel: (reason) => {
        isRead = false
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

async function* watchedList<Item>(items: AsyncIterable<Item>, failed: (error: unknown) => void): AsyncIterable<Item> {
  try {
    yield* items
  } catch (error) {
    failed(error)
    throw error
  }
}

/** The same catalogue; transactions that fail are told, also those whose own rules refuse something. */
export function watchedCatalogue(catalogue: Catalogue, failed: (error: unknown) => void): Catalogue {
  const tell = (error: unknown) => {
    failed(error)
    throw error
  }
  return {
    read: catalogue.read,
    transact: (work, args) => catalogue.transact(work, args).catch(tell),
    changes: catalogue.changes,
    probe: () => catalogue.probe().catch(tell),
    close: () => catalogue.close(),
  }
}
