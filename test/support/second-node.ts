import { readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { databaseSettings } from './database.ts'
import { temporaryFolder } from './server-process.ts'
import { onS3, storeSettings } from './store.ts'
import { nodesKey, type StartOptions, startStowage, type TestStowage } from './stowage.ts'

/** A second node beside a data directory: the same database, files and secret key, and a folder of its own. PostgreSQL only. */
export async function secondNode(of: string, options: StartOptions = {}): Promise<TestStowage & AsyncDisposable> {
  const folder = await temporaryFolder()
  if (!onS3) await symlink(join(of, 'blobs'), join(folder.path, 'blobs'))
  const place = { ...(await databaseSettings(of)), ...(await storeSettings(of)) }
  const key = await readFile(join(of, 'secret-key'), 'utf8').catch(() => nodesKey)
  const settings = { ...place, STOWAGE_SECRET_KEY: key, ...options.settings }
  const node = await startStowage({ ...options, settings, dataDir: folder.path, nodes: 1 })
  return Object.assign(node, {
    [Symbol.asyncDispose]: async () => {
      await node.stowage.stop(0)
      await folder[Symbol.asyncDispose]()
    },
  })
}
