import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { launch, type Server } from './servers.ts'

/** Where packagers put it when it is not on the PATH of an ordinary user. */
const usualPlace = '/usr/sbin/nginx'

export function findNginx(): string | undefined {
  return Bun.which('nginx') ?? (existsSync(usualPlace) ? usualPlace : undefined)
}

/** nginx on a folder of files: what a server without a catalogue can do on this machine. */
export async function startNginx(
  program: string,
  prefix: string,
  stop: AbortSignal,
  root = join(prefix, 'files'),
): Promise<Server> {
  await mkdir(root, { recursive: true })
  const build = await buildOf(program)
  const port = freePort()
  const origin = `http://127.0.0.1:${port}`
  await writeFile(join(prefix, 'nginx.conf'), configuration(prefix, root, port, build))
  const launched = await launch({
    name: 'nginx',
    command: [program, '-p', prefix, '-c', join(prefix, 'nginx.conf')],
    folder: prefix,
    logFile: join(prefix, 'nginx.log'),
    findOrigin: async () => ((await accepts(port)) ? origin : undefined),
    stop,
  })
  return {
    ...launched,
    name: 'nginx',
    fill: async (path, content) => {
      await mkdir(dirname(join(root, path)), { recursive: true })
      // As a stored file is: not on its way to the disk while it is served.
      await writeFile(join(root, path), content, { flush: true })
    },
    put: build.includes('--with-http_dav_module') ? { headers: {}, syncIn: root } : undefined,
  }
}

export async function nginxVersion(program: string): Promise<string> {
  return /nginx\/(\S+)/.exec(await buildOf(program))?.[1] ?? 'unknown'
}

async function buildOf(program: string): Promise<string> {
  const child = Bun.spawn([program, '-V'], { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
  return await new Response(child.stderr).text()
}

function freePort(): number {
  using probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  return probe.port
}

async function accepts(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } })
    socket.end()
    return true
  } catch {
    return false
  }
}

function configuration(prefix: string, root: string, port: number, build: string): string {
  // Even unused modules make their folder at start, by default where only root may write.
  const temporary = ['proxy', 'fastcgi', 'uwsgi', 'scgi'].filter(
    (name) => !build.includes(`--without-http_${name}_module`),
  )
  const withDav = build.includes('--with-http_dav_module')
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 2;
pid "${prefix}/nginx.pid";
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  default_type application/octet-stream;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_temp_path "${prefix}/body";
  ${temporary.map((name) => `${name}_temp_path "${prefix}/${name}";`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    root "${root}";
    ${withDav ? 'dav_methods PUT; create_full_put_path on;' : ''}
  }
}
`
}
