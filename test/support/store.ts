import type { BlobStore } from '../../server/blobs/blob-store.ts'
import type { S3Place } from '../../server/blobs/s3-client.ts'
import type { S3Server } from './s3.ts'

/** `TEST_STORE=s3` puts the files of every server that is started in the test's process into a bucket; else they are on disk. */
export const onS3 = process.env.TEST_STORE === 's3'

let shared: Promise<S3Server> | undefined

/** A place in the bucket, and the bytes that are on their way there. */
interface Bucket {
  place: S3Place
  staged: Map<string, number>
}

/** By the data directory whose files they hold. */
const buckets = new Map<string, Bucket>()

/** The settings for a server on this data directory; one that comes back to it finds its files again. */
export async function storeSettings(dataDir: string): Promise<Record<string, string>> {
  if (!onS3) return {}
  shared ??= import('./s3.ts').then(({ bestS3Server }) => bestS3Server().start())
  const server = await shared
  const { place } = buckets.get(dataDir) ?? { place: server.place() }
  if (!buckets.has(dataDir)) buckets.set(dataDir, { place, staged: new Map() })
  return s3Settings(place)
}

export function s3Settings({ bucket, endpoint = '', prefix, credentials }: S3Place): Record<string, string> {
  return {
    STOWAGE_S3_BUCKET: bucket,
    STOWAGE_S3_ENDPOINT: endpoint,
    STOWAGE_S3_PREFIX: prefix,
    STOWAGE_S3_ACCESS_KEY_ID: credentials?.accessKeyId ?? '',
    STOWAGE_S3_SECRET_ACCESS_KEY: credentials?.secretAccessKey ?? '',
  }
}

/** Undefined where that data directory has its files on disk. */
export async function objectsOf(dataDir: string): Promise<Map<string, number> | undefined> {
  const bucket = buckets.get(dataDir)
  if (!bucket) return undefined
  const { place, staged } = bucket
  return new Map([...staged, ...(await objectsIn(place))])
}

/** Those under its prefix, by what follows it, with their sizes; the storage's own id is none. */
export async function objectsIn(place: S3Place): Promise<Map<string, number>> {
  const [{ ListObjectsV2Command }, { s3Client }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('../../server/blobs/s3-client.ts'),
  ])
  const found = new Map<string, number>()
  const client = s3Client(place, 'WHEN_REQUIRED')
  for (let token: string | undefined, isFirst = true; isFirst || token; isFirst = false) {
    const page = { Bucket: place.bucket, Prefix: place.prefix, ContinuationToken: token }
    const { Contents = [], NextContinuationToken } = await client.send(new ListObjectsV2Command(page))
    for (const { Key = '', Size = 0 } of Contents) found.set(Key.slice(place.prefix.length), Size)
    token = NextContinuationToken
  }
  client.destroy()
  found.delete('storage-id')
  return found
}

/** A disk shows what is still being uploaded, a bucket does not: tests that wait for it are told by the store itself. */
export function tellingWhatIsStaged(dataDir: string, store: BlobStore): BlobStore {
  const { staged } = buckets.get(dataDir) ?? {}
  if (!staged) return store
  const stage = store.stage.bind(store)
  store.stage = async (...args) => {
    const blob = await stage(...args)
    const { location } = blob
    const write = blob.write.bind(blob)
    const dispose = blob[Symbol.asyncDispose].bind(blob)
    staged.set(location, 0)
    blob.write = (chunk) => {
      staged.set(location, (staged.get(location) ?? 0) + chunk.byteLength)
      return write(chunk)
    }
    blob[Symbol.asyncDispose] = async () => {
      await dispose()
      staged.delete(location)
    }
    return blob
  }
  return store
}
