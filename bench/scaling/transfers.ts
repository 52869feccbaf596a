import { randomBytes, randomUUID } from 'node:crypto'
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { s3Client } from '../../server/blobs/s3-client.ts'
import { runClient } from '../clients.ts'
import { inTurns, perUnit, type Side, sumOf, withCpuOf } from '../rounds.ts'
import type { Bench, Line, Measured, Sample } from '../row.ts'
import { MiB } from '../sizes.ts'
import type { Stowage } from '../stowage.ts'
import type { Shared } from './installation.ts'
import type { TransferJob, TransferResult } from './transfer-client.ts'

const size = 64 * MiB
/** In a turn, after one that is not counted. */
const puts = 3
const gets = 8
/** What a round of PUT stores, of both sides. */
export const transferSpace = 2 * (puts + 1) * size

type Turns = Pick<Bench, 'rounds' | 'stop' | 'progress'>

type Way = Pick<TransferJob, 'way' | 'byFetch'>

interface Comparison {
  readonly line: Line
  readonly ours: Way
  readonly theirs: Way
}

function comparisons(name: string, way: 'put' | 'get', atLeast: number, against: Record<string, Way>): Comparison[] {
  return Object.entries(against).map(([reference, theirs]) => ({
    line: { name, against: reference, unit: 'MB/s', cpuPer: 'MB', target: { atLeast } },
    ours: { way, byFetch: false },
    theirs,
  }))
}

const sdk = (way: 'sdk put' | 'sdk get') => ({
  'AWS SDK': { way, byFetch: false },
  'AWS SDK by fetch': { way, byFetch: true },
})

export const streamed: readonly Comparison[] = [
  ...comparisons('PUT 64 MiB', 'put', 0.45, sdk('sdk put')),
  ...comparisons('GET 64 MiB, streamed', 'get', 0.45, sdk('sdk get')),
]
export const redirected: readonly Comparison[] = comparisons('GET 64 MiB, redirected', 'get', 0.95, {
  ...sdk('sdk get'),
  'a signed link': { way: 'link', byFetch: true },
})

/** Files of 64 MiB through one node on S3, and the same bytes between the store and the AWS SDK, in turn. */
export async function measureTransfers(
  turns: Turns,
  what: readonly Comparison[],
  node: Stowage,
  shared: Shared,
): Promise<Measured[]> {
  const headers = node.signedIn.token
  const url = `${node.origin}/api/packages/bench/generic`
  const file = `/api/packages/bench/generic/get-${randomUUID()}/1/file.bin`
  const key = `sdk/${randomUUID()}`
  const bytes = randomBytes(size)
  await node.fill(file, bytes)
  const client = s3Client({ ...shared.s3, prefix: '', pathStyle: true }, 'WHEN_REQUIRED')
  await client.send(new PutObjectCommand({ Bucket: shared.s3.bucket, Key: key, Body: bytes }))
  const all = [node.pid, shared.postgresPid, shared.s3Pid]

  const turn = async ({ way, byFetch }: Way, pids: readonly number[]): Promise<Sample> => {
    const isPut = way === 'put'
    const times = isPut || way === 'sdk put' ? puts : gets
    const its = isPut ? `${url}/put-${randomUUID()}` : node.origin + file
    const job: TransferJob = {
      ...{ way, byFetch, size, times, s3: shared.s3, url: its, headers: isPut ? headers : {} },
      key: way === 'sdk put' ? `sdk/${randomUUID()}` : key,
    }
    const { result, cpu } = await withCpuOf(pids, turns.stop, async () =>
      runClient('scaling/transfer-client.ts', job, turns.stop),
    )
    const { seconds } = JSON.parse(result) as TransferResult
    const megabytes = size / 1e6
    return { value: (times * megabytes) / seconds, cpu: perUnit(sumOf(cpu), (times + 1) * megabytes) }
  }
  const measured: Measured[] = []
  for (const { line, ours, theirs } of what) {
    const side = (name: string, way: Way, pids: readonly number[]): Side => ({ name, turn: () => turn(way, pids) })
    const reference = side(line.against ?? '', theirs, [shared.s3Pid])
    const samples = await inTurns(turns, line.name, side('Stowage', ours, all), reference)
    measured.push({ row: line, ...samples })
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: shared.s3.bucket, Prefix: 'sdk/' }))
    for (const { Key } of Contents) {
      if (Key !== key) await client.send(new DeleteObjectCommand({ Bucket: shared.s3.bucket, Key }))
    }
  }
  client.destroy()
  return measured
}
