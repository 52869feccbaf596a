import { afterAll, beforeAll, describe } from 'bun:test'
import { type S3Server, s3Servers } from '../../test/support/s3.ts'
import { blobStoreContract } from './blob-store.contract.ts'
import { openS3 } from './s3-open.ts'

describe.each(s3Servers())('on $name', ({ name, start }) => {
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
