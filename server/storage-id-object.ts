import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { isNotThere, onS3, type S3Clients, type S3Place } from './blobs/s3-client.ts'

/** Of a thousand names each. */
const mostPages = 100

/**
 * What a bucket, under a prefix, says about which database it belongs to. `remember` has the catalogue keep an id, unless it
 * has one, and resolves with the one that it keeps.
 */
export function storageIdObject(
  { bucket, prefix }: S3Place,
  { whole }: S3Clients,
  remember: (id: string) => Promise<string>,
) {
  const object = { Bucket: bucket, Key: `${prefix}storage-id` }

  const read = (): Promise<string | undefined> =>
    onS3('read', async () => {
      try {
        const { Body } = await whole.send(new GetObjectCommand(object))
        return (await Body?.transformToString())?.trim() || undefined
      } catch (error) {
        if (isNotThere(error)) return undefined
        throw error
      }
    })

  const put = (id: string, condition: { IfNoneMatch?: string } = {}): Promise<unknown> =>
    onS3('store', () => whole.send(new PutObjectCommand({ ...object, ...condition, Body: `${id}\n` })))

  return {
    called: prefix === '' ? `The S3 bucket ${bucket}` : `The S3 bucket ${bucket}, under ${prefix},`,
    mend: 'Name the right one',
    setting: 'STOWAGE_S3_PREFIX',
    halfMoved: `The files are being moved to the S3 bucket ${bucket}, and that is not complete. Stop every server and run npm run stowage -- migrate --files again; until then start without STOWAGE_S3_BUCKET.`,
    read,
    /** Says so, unless it says something already; resolves with what it says. */
    claim: async (id: string): Promise<string> => {
      let said = await read()
      if (said === undefined) {
        // Not every store knows the condition: then the catalogue, which all nodes of an installation share, decides between them.
        await put(id, { IfNoneMatch: '*' }).catch(() => undefined)
        said = await read()
      }
      if (said === undefined) await put(id)
      const kept = await remember(said ?? id)
      if (kept !== (said ?? id)) await put(kept)
      return kept
    },
    write: put,
    /** Whether a lease's objects are there. Among very many names of others nobody looks for them: then a prefix is asked for. */
    isUsed: (): Promise<boolean> =>
      onS3('read', async () => {
        let ContinuationToken: string | undefined
        for (let page = 0; page < mostPages; page += 1) {
          const command = new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            Delimiter: '/',
            ContinuationToken,
          })
          const found = await whole.send(command)
          const { CommonPrefixes = [] } = found
          if (CommonPrefixes.some(({ Prefix = '' }) => /^[0-9a-f]{20}\/$/.test(Prefix.slice(prefix.length))))
            return true
          ContinuationToken = found.IsTruncated ? found.NextContinuationToken : undefined
          if (ContinuationToken === undefined) return false
        }
        return true
      }),
  }
}
