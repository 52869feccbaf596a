import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, type } from 'node:os'
import type { LoadMaker } from './load.ts'

export interface Surroundings {
  readonly folder: string
  readonly load: LoadMaker
  /** Undefined where it is not installed. */
  readonly nginxVersion: string | undefined
  readonly rounds: number
  readonly seconds: number
}

/** What one must know beside the table to judge it, one line each. */
export function surroundings({ folder, load, nginxVersion, rounds, seconds }: Surroundings): string[] {
  return [
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() || 'unknown model'}), ${type()} ${release()}, files on ${fileSystemOf(folder)}`,
    `Stowage on Bun ${Bun.version}, nginx ${nginxVersion ?? '–'} with two workers, \`sendfile\` and \`tcp_nopush\``,
    `Load by ${load.name}, of 1 GiB uploads by a client of the benchmark's own, all on this one machine`,
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'} in turn, ${seconds} s each where a load has no end; a value is the median of the rounds`,
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Command: \`${['npm run bench --', ...process.argv.slice(2).map(quoted)].join(' ')}\``,
  ]
}

/** How to read the columns, and what is missing from them. */
export function notes({ load, nginxVersion }: Surroundings): string[] {
  const lines = [
    '16 clients unless the case says otherwise. Ratio: Stowage divided by the reference in the same round; median of the rounds (least–most).',
    'CPU µs: time of the server on all cores, user and system, until it rests again, which with PUT includes the digests that are computed after the answer.',
    'PUT of 1 GiB: Stowage answers when the file and its record are on disk and the SHA-256 that the client declared is verified. nginx does neither sync nor hash: the client opens the file that nginx stored and calls fdatasync within the time measured, at its own CPU cost.',
    'One thread: creates a file, writes 4 KiB, calls fdatasync and commits a row to SQLite with `synchronous=FULL`; then the next one.',
    'Memory: the most `RssAnon` at any time during 16 uploads of 1 GiB at once and then 64 slow downloads of 1 GiB.',
  ]
  if (!nginxVersion)
    lines.push('nginx is not installed, so there is no comparison: apt-get install nginx, or your system’s like.')
  if (!load.isWrk)
    lines.push('wrk is not installed; the client used instead costs more and shows less: apt-get install wrk.')
  if (process.platform !== 'linux') lines.push('CPU and memory are read from /proc, which only Linux has.')
  return lines
}

function quoted(argument: string): string {
  return /^[\w./:=-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
}

/** A sync costs nothing in memory and much on a slow disk: its kind belongs to the result. */
function fileSystemOf(folder: string): string {
  try {
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
    const holds = (mountPoint = '') => `${folder}/`.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`)
    const [nearest] = mounts.filter(([, at]) => holds(at)).sort(([, a = ''], [, b = '']) => b.length - a.length)
    return nearest?.[2] ?? 'an unknown file system'
  } catch {
    return 'an unknown file system'
  }
}
