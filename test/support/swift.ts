import { mkdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { TiedProcess } from './tied-process.ts'

/** Debian's packages; `python3` is theirs too, whatever else is installed. */
const programs = [
  'swift-proxy-server',
  'swift-account-server',
  'swift-container-server',
  'swift-object-server',
  'memcached',
]
const python = '/usr/bin/python3'

export const swiftPackages = 'swift-proxy swift-account swift-container swift-object memcached'

export function hasSwift(): boolean {
  return programs.every((program) => Bun.which(program)) && Bun.file(python).size > 0
}

/** Swift reads its first file from `/etc` alone. */
const runner = `
import sys
import swift.common.utils as utils
utils.SWIFT_CONF_FILE = sys.argv[1]
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[2], sys.argv[3]))
`

/** OpenStack Swift with its S3 interface, as small as it can be: one device, one replica. */
export async function runSwift(
  folder: string,
  freePort: () => number,
  credentials: { accessKeyId: string; secretAccessKey: string },
): Promise<{ url: string; children: TiedProcess[] }> {
  const [account, user] = credentials.accessKeyId.split(':')
  const memory = freePort()
  const proxy = freePort()
  await mkdir(join(folder, 'devices/one'), { recursive: true })
  const written = (name: string, text: string) => writeFile(join(folder, name), text)
  await written('swift.conf', '[swift-hash]\nswift_hash_path_prefix = a\nswift_hash_path_suffix = b\n')
  await written('run.py', runner)
  const common = (port: number) =>
    `[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = ${port}\nuser = ${userInfo().username}\nswift_dir = ${folder}\nworkers = 0\n`
  for (const kind of ['account', 'container', 'object']) {
    const port = freePort()
    const builder = join(folder, `${kind}.builder`)
    for (const step of [['create', '4', '1', '1'], ['add', `r1z1-127.0.0.1:${port}/one`, '1'], ['rebalance']]) {
      await Bun.spawn(['swift-ring-builder', builder, ...step], { stdout: 'ignore', stderr: 'ignore' }).exited
    }
    const own = `devices = ${folder}/devices\nmount_check = false\n[pipeline:main]\npipeline = ${kind}-server\n[app:${kind}-server]\nuse = egg:swift#${kind}\n`
    await written(`${kind}.conf`, common(port) + own)
  }
  await written(
    'proxy.conf',
    `${common(proxy)}[pipeline:main]
pipeline = catch_errors cache s3api tempauth bulk slo proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${memory}
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_${account}_${user} = ${credentials.secretAccessKey} .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
error_suppression_interval = 0
`,
  )
  const children = ['account', 'container', 'object', 'proxy'].map((kind) => {
    const settings = [join(folder, 'swift.conf'), join(folder, `${kind}.conf`), `${kind}-server`]
    return new TiedProcess([python, join(folder, 'run.py'), ...settings])
  })
  children.push(new TiedProcess(['memcached', '-u', 'nobody', '-l', '127.0.0.1', '-p', String(memory)]))
  return { url: `http://127.0.0.1:${proxy}`, children }
}
