import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, type } from 'node:os'
import type { Bench } from './measure.ts'
import { peakResidentBytes } from './process-cost.ts'

/** What one must know beside the table to judge it, one line each. */
export function surroundings({ ours, theirs, getMaker, rounds, seconds }: Bench, folder: string): string[] {
  const peak = peakResidentBytes(ours.pid)
  return [
    `Peak resident memory of Stowage over all cases: ${peak === undefined ? '–' : `${Math.round(peak / 1e6)} MB`}`,
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() || 'unknown model'}), ${type()} ${release()}, files on ${fileSystemOf(folder)}`,
    `Stowage ${ours.version} on Bun ${Bun.version}, nginx ${theirs?.version ?? '–'}`,
    `GET load by ${getMaker.name}, PUT load by the benchmark's own client on Bun ${Bun.version}, all on this one machine`,
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'} in turn, ${seconds} s each; a value is the median of the rounds`,
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Command: ${['bun', 'bench/run.ts', ...process.argv.slice(2).map(quoted)].join(' ')}`,
  ]
}

/** How to read the columns, and what is missing from them. */
export function notes({ theirs, getMaker }: Bench): string[] {
  const lines = [
    'Ratio: Stowage req/s divided by nginx req/s of the same round; median of the rounds (least–most).',
    'CPU µs: time of the server on all cores, user and system, until it rests again; per request, from 1 MiB on per MB (10^6 bytes).',
    'PUT: Stowage answers when the file and its record are on disk and its SHA-256 is known. nginx does neither sync nor hash: the client opens the file that nginx stored and calls fdatasync within the time measured, at its own CPU cost.',
  ]
  if (!theirs)
    lines.push('nginx is not installed, so there is no comparison: apt-get install nginx, or your system’s like.')
  else if (!theirs.put) lines.push('This nginx was built without its DAV module, so PUT has no comparison.')
  if (!getMaker.isWrk)
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
