import type { S3Place } from '../../server/blobs/s3-client.ts'
import { databaseSettings } from './database.ts'
import { environmentWithoutOurs } from './server-process.ts'
import { s3Settings } from './store.ts'

const root = new URL('../..', import.meta.url).pathname

/** Settings under which a server has its files on disk, whatever other tests run on. */
export const filesOnDisk = Object.fromEntries(
  ['BUCKET', 'ENDPOINT', 'PREFIX', 'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY'].map((name) => [`STOWAGE_S3_${name}`, '']),
)

interface Ended {
  exitCode: number | null
  output: string
  errors: string
}

/** `stowage migrate --files` as a process of its own. */
export async function migrateFiles(dataDir: string, place: S3Place, args: string[] = []) {
  const settings = { STOWAGE_DATA_DIR: dataDir, ...(await databaseSettings(dataDir)), ...s3Settings(place) }
  const child = Bun.spawn([process.execPath, 'cli/stowage.ts', 'migrate', '--files', ...args], {
    cwd: root,
    env: { ...environmentWithoutOurs(), ...settings },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const texts = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const ended = texts.then(async ([output, errors]): Promise<Ended> => {
    return { exitCode: await child.exited, output, errors }
  })
  return { child, ended }
}
