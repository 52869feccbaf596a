import { afterAll, beforeAll, describe } from 'bun:test'
import { blobStoreContract } from '../../server/blobs/blob-store.contract.ts'
import { openS3 } from '../../server/blobs/s3-open.ts'
import { type S3Server, slowS3Servers } from '../support/s3.ts'

describe.each(slowS3Servers())('on $name', ({ name, start }) => {
  let server: S3Server

  beforeAll(async () => {
    server = await start()
  })

  afterAll(() => server[Symbol.asyncDispose]())

  blobStoreContract(`a bucket of ${name}`, async () => {
    const { store } = await openS3(server.place())
    return { store, [Symbol.asyncDispose]: async () => {} }
  })
})
