import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { availableParallelism, cpus, release, tmpdir, type } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from '../command.ts'
import { Failure } from '../failure.ts'
import { findLoadMaker } from '../load.ts'
import { findNginx, nginxVersion } from '../nginx.ts'
import type { Measured } from '../row.ts'
import { MiB } from '../sizes.ts'
import { needSpace } from '../space.ts'
import { asMarkdown, asText, markdown, text } from '../table.ts'
import { startNodes, startShared } from './installation.ts'
import { measureNodes, type NodeMeasured, redirectedLoads, streamedLoads } from './node-loads.ts'
import { nodesCells, nodesColumns, nodesTextColumns } from './nodes-table.ts'
import { measureTransfers, redirected, streamed, transferSpace } from './transfers.ts'

const help = `Measures nodes on PostgreSQL and S3 (versitygw) behind nginx, all on this machine: npm run bench:scaling -- [options]

  --rounds N      rounds of each case, all of its sides in turn (default 7)
  --seconds N     whole seconds of one measurement (default 2)
  --nodes LIST    how many nodes (default 1,2,4)
  --only WHAT     'files': 64 MiB beside the AWS SDK; 'nodes': requests per second and CPU time
  --quick         1 round of 1 second: to see that it works, not to be quoted
  --markdown      print the tables for a document
  --server FILE   the server to start, e.g. that of another checkout (default server/main.ts)
  --help          print this

It starts all servers itself, on free ports of 127.0.0.1. Files are kept in a temporary folder (TMPDIR says where), PostgreSQL
in memory where there is room; all of it is removed at the end.
`

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly counts: readonly number[]
  readonly files: boolean
  readonly nodes: boolean
  readonly markdown: boolean
  readonly entry: string
}

function readOptions(): Options | 'help' {
  const { values } = parsed()
  if (values.help) return 'help'
  const { only } = values
  if (only !== undefined && only !== 'files' && only !== 'nodes') throw new Failure(`--only takes files or nodes.`)
  return {
    rounds: wholeNumber('--rounds', values.rounds ?? (values.quick ? '1' : '7'), 100),
    seconds: wholeNumber('--seconds', values.seconds ?? (values.quick ? '1' : '2'), 60),
    counts: (values.nodes ?? '1,2,4').split(',').map((count) => wholeNumber('--nodes', count, 16)),
    files: only !== 'nodes',
    nodes: only !== 'files',
    markdown: values.markdown ?? false,
    entry: resolve(values.server ?? join(import.meta.dir, '../../server/main.ts')),
  }
}

function parsed() {
  try {
    const [textual, flag] = [{ type: 'string' } as const, { type: 'boolean' } as const]
    return parseArgs({
      options: {
        ...{ rounds: textual, seconds: textual, nodes: textual, only: textual, server: textual },
        ...{ quick: flag, markdown: flag, help: { ...flag, short: 'h' } },
      },
    })
  } catch (error) {
    throw new Failure(`${error instanceof Error ? error.message : error}\n--help says what there is.`)
  }
}

function wholeNumber(flag: string, value: string, most: number): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= 1 && number <= most) return number
  throw new Failure(`${flag} takes whole numbers from 1 to ${most}, not '${value}'.`)
}

async function run(options: Options, stop: AbortSignal): Promise<void> {
  await using held = new AsyncDisposableStack()
  const { entry, rounds, seconds } = options
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'stowage-bench-')))
  held.defer(() => rm(folder, { recursive: true, force: true }))
  await needSpace(folder, 1024 * MiB + rounds * transferSpace)
  const load = await findLoadMaker()
  const shared = held.use(await startShared(folder, stop))
  const turns = { rounds, seconds, load, stop, progress: (line: string) => console.error(line) }
  const counts = options.nodes ? options.counts : [1]

  const files: Measured[] = []
  const nodes: NodeMeasured[] = []
  for (const [settings, comparisons, loads] of [
    [{}, streamed, streamedLoads],
    [{ STOWAGE_S3_DIRECT_DOWNLOADS: 'true' }, redirected, redirectedLoads],
  ] as const) {
    await using started = await startNodes({
      ...{ entry, counts, stop },
      folder: await mkdtemp(join(folder, 'nodes-')),
      settings: { ...shared.settings, ...settings },
    })
    if (options.files) files.push(...(await measureTransfers(turns, comparisons, started.all[0], shared)))
    if (options.nodes) nodes.push(...(await measureNodes(turns, loads, counts, started, shared)))
  }

  if (files.length > 0) console.log(`${options.markdown ? asMarkdown(files) : asText(files)}\n`)
  const print = options.markdown ? markdown : text
  if (nodes.length > 0) console.log(`${print(nodesColumns, nodesTextColumns, nodes.map(nodesCells))}\n`)
  const nginx = findNginx()
  const remarks = [
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() || 'unknown model'}) for all servers and the load together, ${type()} ${release()}`,
    `Stowage on Bun ${Bun.version}, PostgreSQL ${shared.postgresVersion}, versitygw on a folder, nginx ${nginx && (await nginxVersion(nginx))} by docs/examples/nginx.conf; load by ${load.name}, 16 clients`,
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s, all sides in turn; values are medians of the rounds (least–most)`,
    '64 MiB: one client on Bun, one file after the other. The SDK: PutObject and GetObject, as it is, and by fetch as Stowage uses it; `a signed link`: a plain GET of an address that it signs. CPU time of all servers: node, PostgreSQL and store, and of the store alone beside the SDK',
    'CPU µs: time on all cores, user and system, for each request, until all rest again',
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Command: \`${['npm run bench:scaling --', ...process.argv.slice(2)].join(' ')}\``,
  ]
  console.log(remarks.map((remark) => (options.markdown ? `- ${remark}` : remark)).join('\n'))
}

await runCommand(help, readOptions, run)
