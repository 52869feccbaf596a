import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { launch, type Server } from './servers.ts'

/** Where packagers put it when it is not on the PATH of an ordinary user. */
const usualPlace = '/usr/sbin/nginx'

export function findNginx(): string | undefined {
  return Bun.which('nginx') ?? (existsSync(usualPlace) ? usualPlace : undefined)
}

/** nginx with the same files at the same addresses: what a file server without a catalogue can do on this machine. */
export async function startNginx(program: string, folder: string, stop: AbortSignal): Promise<Server> {
  const prefix = join(folder, 'nginx')
  const root = join(prefix, 'files')
  await mkdir(root, { recursive: true })
  const build = await buildOf(program)
  const port = freePort()
  const origin = `http://127.0.0.1:${port}`
  await writeFile(join(prefix, 'nginx.conf'), configuration(prefix, root, port, build))
  const launched = await launch({
    name: 'nginx',
    command: [program, '-p', prefix, '-c', join(prefix, 'nginx.conf')],
    folder: prefix,
    logFile: join(folder, 'nginx.log'),
    findOrigin: async () => ((await accepts(port)) ? origin : undefined),
    stop,
  })
  return {
    ...launched,
    name: 'nginx',
    version: /nginx\/(\S+)/.exec(build)?.[1] ?? 'unknown',
    fill: async (path, content) => {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), content)
    },
    put: build.includes('--with-http_dav_module') ? { headers: {}, syncIn: root } : undefined,
  }
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
