import { readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { databaseSettings } from './database.ts'
import { temporaryFolder } from './server-process.ts'
import { type StartOptions, startStowage, type TestStowage } from './stowage.ts'

/** A second node beside a data directory: the same database, disk for blobs and secret key, and a folder of its own. PostgreSQL only. */
export async function secondNode(of: string, options: StartOptions = {}): Promise<TestStowage & AsyncDisposable> {
  const folder = await temporaryFolder()
  await symlink(join(of, 'blobs'), join(folder.path, 'blobs'))
  const { STOWAGE_DATABASE_URL: url = '' } = await databaseSettings(of)
  const key = await readFile(join(of, 'secret-key'), 'utf8')
  const settings = { STOWAGE_DATABASE_URL: url, STOWAGE_SECRET_KEY: key, ...options.settings }
  const node = await startStowage({ ...options, settings, dataDir: folder.path })
  return Object.assign(node, {
    [Symbol.asyncDispose]: async () => {
      await node.stowage.stop(0)
      await folder[Symbol.asyncDispose]()
    },
  })
}
