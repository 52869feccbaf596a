import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './postgres.ts'
import { RawConnection } from './raw-connection.ts'
import { temporaryFolder } from './server-process.ts'
import { TiedProcess } from './tied-process.ts'
import { until } from './until.ts'

const file = new URL('../../docs/examples/nginx.conf', import.meta.url).pathname

/** nginx by docs/examples/nginx.conf, but for the nodes' addresses, its own, and folders. */
export async function startReferenceNginx(program: string, nodes: readonly number[]) {
  const folder = await temporaryFolder()
  const port = freePort()
  const own = join(folder.path, 'nginx.conf')
  await writeFile(own, adapted(await readFile(file, 'utf8'), { folder: folder.path, port, nodes }))
  const nginx = new TiedProcess([program, '-c', own, '-e', join(folder.path, 'error.log')], { ending: 'TERM' })
  const answers = () =>
    RawConnection.open(port).then(
      (connection) => connection[Symbol.asyncDispose]().then(() => true),
      () => false,
    )
  try {
    await until(answers, 'nginx takes connections')
  } catch (error) {
    throw new Error(await readFile(join(folder.path, 'error.log'), 'utf8').catch(() => 'no log'), { cause: error })
  }
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    pid: Number(await readFile(join(folder.path, 'pid'), 'utf8')),
    [Symbol.asyncDispose]: async () => {
      await nginx.end()
      await folder[Symbol.asyncDispose]()
    },
  }
}

function adapted(
  text: string,
  { folder, port, nodes }: { folder: string; port: number; nodes: readonly number[] },
): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const temporary = kinds.map((kind) => `${kind}_temp_path ${join(folder, kind)};`).join(' ')
  const replaced = (all: string, [old, by]: readonly [RegExp, string]) => {
    if (!old.test(all)) throw new Error(`nginx.conf has no ${old}`)
    return all.replace(old, by)
  }
  const config = [
    [/( *server node-1)(:3000)(.*\n)/, nodes.map((its) => `server 127.0.0.1:${its}$3`).join('')],
    [/( *server node-\d:3000.*\n)+/, ''],
    [/listen 80;/, `listen 127.0.0.1:${port};`],
    [/\/var\/log\/nginx/g, folder],
    // Only root may set it, and it must not exceed what the machine allows.
    [/worker_rlimit_nofile .*/, ''],
    [/worker_connections .*/, 'worker_connections 512;'],
    [/http {/, `http { ${temporary}`],
  ] as const
  return `${config.reduce(replaced, text)}\npid ${join(folder, 'pid')};\ndaemon off;\n`
}
