import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { S3Place } from '../lib/s3-place.ts'
import { Problem } from '../problems.ts'
import { S3Requests } from './s3-requests.ts'

export type { S3Place }

/** Milliseconds without a sign of life from the store, after which it is asked once more. */
export const patience = 30_000
/** After so many, whoever waits for an answer gets one. */
export const longestSilence = 2 * patience

export interface S3Clients {
  /** For whole objects: with the checksums that the store was seen to take. */
  whole: S3Client
  /**
   * For parts, and bodies that are streamed: no checksum beside the SHA-256 in the signature, which every store compares. One
   * that is told at the beginning of a multipart upload would have to be told with every part, also one that is streamed.
   */
  parts: S3Client
}

export type Checksums = 'WHEN_SUPPORTED' | 'WHEN_REQUIRED'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

export function s3Client(
  place: S3Place,
  requestChecksumCalculation: Checksums,
  { attempts = 5, answerTime = patience } = {},
): S3Client {
  const config: S3ClientConfig = {
    region: place.region,
    forcePathStyle: place.pathStyle,
    requestChecksumCalculation,
    // Ours are compared by whoever downloads, and a stretch of an object has none.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Everything but a streamed body is sent again, as no key is ever used for other bytes.
    maxAttempts: attempts,
    // What goes wrong is thrown, and told where it is handled.
    logger: silent,
    requestHandler: new S3Requests(answerTime),
    ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
    ...(place.credentials ? { credentials: place.credentials } : {}),
  }
  return new S3Client(config)
}

type Purpose = 'store' | 'read' | 'remove' | 'probe'

const outcomes: Record<Purpose, string> = {
  store: 'nothing was stored',
  read: 'the stored bytes cannot be read',
  remove: 'not everything was removed',
  probe: 'nothing can be stored',
}

/** What stores call it when there is no more room: S3's own word, and those of MinIO, Ceph, Swift and others. */
const fullNames =
  /^(QuotaExceeded|InsufficientStorage|InsufficientCapacity|StorageFull|XMinioStorageFull|XMinioAdminBucketQuotaExceeded|NotEnoughSpace|InsufficientQuota)$/

/** What a failed request means to a person. */
export function s3Problem(error: unknown, purpose: Purpose): Problem {
  if (error instanceof Problem) return error
  if (fullNames.test(nameOf(error)) || statusOf(error) === 507) {
    const sentence = `the storage is full: ${outcomes[purpose]}, free some space and try again`
    return new Problem('storage-full', sentence, {}, error)
  }
  if (purpose === 'read' && isNotThere(error)) {
    return new Problem('storage-unavailable', 'the stored bytes are not there', {}, error)
  }
  const sentence = `the storage does not work just now: ${outcomes[purpose]}, try again later`
  return new Problem('storage-unavailable', sentence, {}, error)
}

/** Runs requests, and lets their failures out as problems. */
export async function onS3<Result>(purpose: Purpose, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw s3Problem(error, purpose)
  }
}

/** The code of S3's answer, or the name of what went wrong on the way there. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}

export function statusOf(error: unknown): number | undefined {
  const metadata = (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata
  return metadata?.httpStatusCode
}

export function isNotThere(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound', 'NoSuchUpload'].includes(nameOf(error))
}

/** Whether the store does not know such a request at all. */
export function isUnknownRequest(error: unknown): boolean {
  return statusOf(error) === 501 || ['NotImplemented', 'MethodNotAllowed'].includes(nameOf(error))
}

/** Whether another attempt may succeed: the answer got lost, or the store said that it cannot just now. */
export function mayPass(error: unknown): boolean {
  const status = statusOf(error)
  if (isUnknownRequest(error) || nameOf(error) === 'CredentialsProviderError') return false
  return status === undefined || status >= 500 || status === 429
}

/** For the log and for whoever starts the server: S3's own words, never an address with a signature. */
export function s3Reason(error: unknown): string {
  const cause = error instanceof Problem && error.cause !== undefined ? error.cause : error
  const { name = '', message = String(cause) } = cause instanceof Error ? cause : {}
  const status = statusOf(cause)
  // Said where somebody is advised who calls the SDK, or the runtime.
  const said = message.replace(/(: Unable to connect\. Is the computer |\n *Deserialization error: ).*$/s, '')
  const isPlain = name === message || /^(Type)?Error$/.test(name)
  const details = [isPlain ? '' : name, status].filter(Boolean).join(', ')
  return details ? `${said} (${details})` : said
}

/** What was perhaps not set right, where a store cannot be used at all. */
export function settingsBehind(error: unknown): string | undefined {
  const [name, status] = [nameOf(error), statusOf(error)]
  if (name === 'NoSuchBucket') return 'STOWAGE_S3_BUCKET'
  const isRefused = status === 401 || status === 403
  if (isRefused || /^(InvalidAccessKeyId|SignatureDoesNotMatch|CredentialsProviderError)$/.test(name)) {
    return 'STOWAGE_S3_ACCESS_KEY_ID and STOWAGE_S3_SECRET_ACCESS_KEY'
  }
  const isNoStore = error instanceof Error && /^UnknownError$|\n *Deserialization error: /.test(error.message)
  return status === undefined || isNoStore ? 'STOWAGE_S3_ENDPOINT' : undefined
}
