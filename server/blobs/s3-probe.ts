import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { freshBlobName } from './locations.ts'
import { type Checksums, mayPass, type S3Place, s3Client } from './s3-client.ts'

/** No lease can have this name, so nothing in it is ever taken for a blob. */
const place = '.probe'

/** A key for an object that is there for a moment. */
export function probeKey({ prefix }: S3Place): string {
  return `${prefix}${place}/${freshBlobName()}`
}

/** Rejects unless what is put there can be read again. */
export async function putAndGet(client: S3Client, object: { Bucket: string; Key: string }): Promise<void> {
  const text = 'Stowage'
  await client.send(new PutObjectCommand({ ...object, Body: text }))
  const { Body } = await client.send(new GetObjectCommand(object))
  if ((await Body?.transformToString()) !== text) throw new Error('what was read is not what was written')
}

/**
 * Whether the store takes the checksums that the SDK sends of its own accord (CRC32, since 2025), or only those without which a
 * request is refused. Rejects where nothing can be stored either way. `key` is of an object that is gone once it resolves.
 */
export async function findChecksums(s3: S3Place, key: string): Promise<Checksums> {
  const [newer, older] = ['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const
  try {
    await attempt(s3, key, newer)
    return newer
  } catch (error) {
    if (mayPass(error)) throw error
    await attempt(s3, key, older)
    return older
  }
}

async function attempt(s3: S3Place, Key: string, checksums: Checksums): Promise<void> {
  const client = s3Client(s3, checksums)
  const object = { Bucket: s3.bucket, Key }
  try {
    await putAndGet(client, object)
    await client.send(new ListObjectsV2Command({ Bucket: s3.bucket, Prefix: `${s3.prefix}${place}/`, MaxKeys: 1 }))
    await client.send(new DeleteObjectCommand(object))
  } finally {
    client.destroy()
  }
}

/** What keeps multipart uploads from being listed; undefined where nothing does. */
export async function listingRefused(client: S3Client, { bucket, prefix }: S3Place): Promise<unknown> {
  try {
    await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `${prefix}${place}/`, MaxUploads: 1 }))
    return undefined
  } catch (error) {
    if (mayPass(error)) throw error
    return error
  }
}
