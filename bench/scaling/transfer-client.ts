// Large transfers one after the other, by Stowage or by the AWS SDK: a process of its own, which is the same for both.
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { s3Client } from '../../server/blobs/s3-client.ts'
import { doJob } from '../clients.ts'
import type { Shared } from './installation.ts'

export interface TransferJob {
  /** `link`: a plain GET of an address that the SDK has signed. */
  readonly way: 'put' | 'get' | 'sdk put' | 'sdk get' | 'link'
  /** Else the SDK is as anybody makes one. */
  readonly byFetch: boolean
  /** Of Stowage; each PUT makes another version below it. */
  readonly url: string
  readonly headers: Record<string, string>
  readonly s3: Shared['s3']
  readonly key: string
  readonly size: number
  /** That are counted; another one comes before them. */
  readonly times: number
}

export interface TransferResult {
  readonly seconds: number
}

type Transfer = (number: number) => Promise<void>

const ways: Record<TransferJob['way'], (job: TransferJob) => Transfer> = {
  put: ({ url, headers, size }) => {
    const bytes = content(size)
    return async (number) => {
      const answer = await fetch(`${url}/${number}/file.bin`, { method: 'PUT', headers, body: unlikeOthers(bytes) })
      if (answer.status !== 201) throw new Error(`PUT ${url}: ${answer.status} ${await answer.text()}`)
    }
  },
  get:
    ({ url, headers, size }) =>
    async () =>
      mustHave(size, (await fetch(url, { headers })).body),
  'sdk put': ({ s3, key, size, byFetch }) => {
    const client = sdk(s3, byFetch)
    const bytes = content(size)
    return async (number) => {
      const Body = unlikeOthers(bytes)
      await client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: `${key}-${number}`, Body }))
    }
  },
  'sdk get': ({ s3, key, size, byFetch }) => {
    const client = sdk(s3, byFetch)
    return async () => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: s3.bucket, Key: key }))
      await mustHave(size, Body as AsyncIterable<Uint8Array> | undefined)
    }
  },
  link: ({ s3, key, size }) => {
    const client = sdk(s3, true)
    return async () => {
      const link = await getSignedUrl(client, new GetObjectCommand({ Bucket: s3.bucket, Key: key }))
      await mustHave(size, (await fetch(link)).body)
    }
  },
}

/** By fetch it is as Stowage uses it, without checksums of answers: two to four times as fast on this runtime. */
function sdk(s3: TransferJob['s3'], byFetch: boolean): S3Client {
  return byFetch
    ? s3Client({ ...s3, prefix: '', pathStyle: true }, 'WHEN_REQUIRED')
    : new S3Client({ endpoint: s3.endpoint, region: s3.region, credentials: s3.credentials, forcePathStyle: true })
}

function content(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

/** Equal bytes would be stored once. */
function unlikeOthers(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  crypto.getRandomValues(bytes.subarray(0, 16))
  return bytes
}

async function mustHave(size: number, body: AsyncIterable<Uint8Array> | null | undefined): Promise<void> {
  let length = 0
  for await (const chunk of body ?? []) length += chunk.length
  if (length !== size) throw new Error(`${length} bytes came, not ${size}`)
}

await doJob<TransferJob>(async (job): Promise<TransferResult> => {
  const transfer = ways[job.way](job)
  await transfer(0)
  const begin = performance.now()
  for (let number = 1; number <= job.times; number += 1) await transfer(number)
  return { seconds: (performance.now() - begin) / 1000 }
})
