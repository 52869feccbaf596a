import { mkdtemp, realpath, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Case, caseName, cases, diskSpaceNeeded } from './cases.ts'
import { Failure } from './failure.ts'
import { findGetMaker } from './load.ts'
import { type Bench, type Measured, measure } from './measure.ts'
import { findNginx, startNginx } from './nginx.ts'
import type { Server } from './servers.ts'
import { startStowage } from './stowage.ts'
import { notes, surroundings } from './surroundings.ts'
import { asMarkdown, asText } from './table.ts'

const help = `Measures Stowage beside nginx on this machine: npm run bench -- [options]

  --rounds N      rounds of each case, Stowage and nginx in turn (default 5)
  --seconds N     whole seconds of one measurement (default 2)
  --only PATTERN  only the cases that match this regular expression, e.g. 'GET 1 KiB' or 'x16$'
  --quick         1 round of 1 second: to see that it works, not to be quoted
  --markdown      print the table for a document
  --server FILE   the server to start, e.g. that of another checkout (default server/main.ts)
  --help          print this

It starts both servers itself, on free ports of 127.0.0.1, and keeps everything in a temporary folder
(TMPDIR says where) that it removes at the end.

Cases: ${cases.map(caseName).join(', ')}
`

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly chosen: readonly Case[]
  readonly markdown: boolean
  readonly entry: string
}

function readOptions(): Options | 'help' {
  const { values } = parsed()
  if (values.help) return 'help'
  const pattern = regularExpression(values.only ?? '')
  const chosen = cases.filter((c) => pattern.test(caseName(c)))
  if (chosen.length === 0) throw new Failure(`No case matches --only. There are: ${cases.map(caseName).join(', ')}`)
  return {
    rounds: wholeNumber('--rounds', values.rounds ?? (values.quick ? '1' : '5'), 100),
    seconds: wholeNumber('--seconds', values.seconds ?? (values.quick ? '1' : '2'), 60),
    chosen,
    markdown: values.markdown ?? false,
    entry: resolve(values.server ?? join(import.meta.dir, '../server/main.ts')),
  }
}

function parsed() {
  try {
    return parseArgs({
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        only: { type: 'string' },
        quick: { type: 'boolean' },
        markdown: { type: 'boolean' },
        server: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new Failure(`${error instanceof Error ? error.message : error}\n--help says what there is.`)
  }
}

function wholeNumber(flag: string, text: string, most: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new Failure(`${flag} takes a whole number from 1 to ${most}, not '${text}'.`)
  }
  return value
}

function regularExpression(text: string): RegExp {
  try {
    return new RegExp(text, 'i')
  } catch {
    throw new Failure(`--only takes a regular expression, not '${text}'.`)
  }
}

async function run({ rounds, seconds, chosen, markdown, entry }: Options, stop: AbortSignal): Promise<void> {
  const progress = (line: string) => console.error(line)
  await using held = new AsyncDisposableStack()
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'stowage-bench-')))
  held.defer(() => rm(folder, { recursive: true, force: true }))
  await needSpace(folder, diskSpaceNeeded(chosen, rounds))

  const servers: Server[] = []
  try {
    progress('starting')
    const ours = held.use(await startStowage(entry, folder, stop))
    servers.push(ours)
    const nginx = findNginx()
    const theirs = nginx ? held.use(await startNginx(nginx, folder, stop)) : undefined
    if (theirs) servers.push(theirs)

    const bench: Bench = { ours, theirs, getMaker: await findGetMaker(), rounds, seconds, stop, progress }
    const results: Measured[] = []
    for (const c of chosen) results.push(await measure(bench, c))
    const remarks = [...surroundings(bench, folder), ...notes(bench)]
    console.log(markdown ? asMarkdown(results) : asText(results))
    console.log(`\n${remarks.map((remark) => (markdown ? `- ${remark}` : remark)).join('\n')}`)
  } catch (error) {
    for (const { name, lastLines } of servers) {
      if (!stop.aborted && lastLines()) console.error(`The last lines of ${name}:\n${lastLines()}\n`)
    }
    throw error
  }
}

async function needSpace(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
  if (bavail * bsize < needed) {
    throw new Failure(
      `The temporary folder may need ${gigabytes(needed)} and has ${gigabytes(bavail * bsize)}: ` +
        'choose fewer rounds, or another place with TMPDIR.',
    )
  }
}

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stop.abort(new Failure('Interrupted.')))
}
try {
  const options = readOptions()
  if (options === 'help') console.log(help.trimEnd())
  else await run(options, stop.signal)
} catch (error) {
  console.error(error instanceof Failure ? error.message : error)
  process.exitCode = 1
}
