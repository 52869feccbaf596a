import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { runCommand } from './command.ts'
import { Failure } from './failure.ts'
import { findLoadMaker } from './load.ts'
import { hasMillion, millionSpace } from './million/data-dir.ts'
import { findNginx, nginxVersion } from './nginx.ts'
import type { Bench, Measured, Row } from './row.ts'
import { needsMillion, rows } from './rows.ts'
import { needSpace } from './space.ts'
import { Starter } from './start.ts'
import { notes, surroundings } from './surroundings.ts'
import { asMarkdown, asText } from './table.ts'

const help = `Measures Stowage beside nginx and other references on this machine: npm run bench -- [options]

  --rounds N      rounds of each case, both sides in turn (default 9)
  --seconds N     whole seconds of one measurement (default 2)
  --only PATTERN  only the cases that match this regular expression, e.g. '^GET 1 KiB' or 'PUT|memory'
  --quick         1 round of 1 second: to see that it works, not to be quoted
  --keep FOLDER   keep the site with a million files there, and use it again (8 GB; made in some minutes)
  --markdown      print the table for a document
  --server FILE   the server to start, e.g. that of another checkout (default server/main.ts)
  --help          print this

It starts all servers itself, on free ports of 127.0.0.1, and keeps everything else in a temporary folder
(TMPDIR says where) that it removes at the end; what a case stored, after the case. A server begins with
an empty data directory in each case, and in cases that upload 1 GiB in each round.

Cases:
${rows.map(({ name }) => `  ${name}`).join('\n')}
`

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly chosen: readonly Row[]
  readonly keep: string | undefined
  readonly markdown: boolean
  readonly entry: string
}

function readOptions(): Options | 'help' {
  const { values } = parsed()
  if (values.help) return 'help'
  const pattern = regularExpression(values.only ?? '')
  const chosen = rows.filter(({ name }) => pattern.test(name))
  if (chosen.length === 0) throw new Failure('No case matches --only; --help names them.')
  return {
    rounds: wholeNumber('--rounds', values.rounds ?? (values.quick ? '1' : '9'), 100),
    seconds: wholeNumber('--seconds', values.seconds ?? (values.quick ? '1' : '2'), 60),
    chosen,
    keep: values.keep === undefined ? undefined : resolve(values.keep),
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
        keep: { type: 'string' },
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

async function run({ rounds, seconds, chosen, keep, markdown, entry }: Options, stop: AbortSignal): Promise<void> {
  await using held = new AsyncDisposableStack()
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'stowage-bench-')))
  held.defer(() => rm(folder, { recursive: true, force: true }))
  if (keep !== undefined) await mkdir(keep, { recursive: true })
  // Of what rows store there is never more than one row's; the million files stay to the end.
  const million = chosen.some(needsMillion) && !hasMillion(keep) ? millionSpace : 0
  await needSpace(folder, Math.max(...chosen.map((row) => row.diskSpace(rounds, seconds))) + (keep ? 0 : million))
  if (keep !== undefined) await needSpace(keep, million)

  const nginx = findNginx()
  const load = await findLoadMaker()
  const starter = new Starter({ entry, nginx, folder, stop })
  const bench: Bench = {
    ...{ rounds, seconds, load, stop, folder, keep },
    progress: (line) => console.error(line),
    startStowage: (dataDir) => starter.stowage(dataDir),
    startNginx: (root) => starter.nginx(root),
  }
  const results: Measured[] = []
  try {
    for (const row of chosen) {
      const samples = await row.measure(bench)
      results.push({ row, ...samples })
    }
  } catch (error) {
    if (!stop.aborted) console.error(starter.lastLines())
    throw error
  } finally {
    if (results.length > 0) console.log(markdown ? asMarkdown(results) : asText(results))
  }
  const known = { folder, load, rounds, seconds, nginxVersion: nginx && (await nginxVersion(nginx)) }
  const remarks = [...surroundings(known), ...notes(known)]
  console.log(`\n${remarks.map((remark) => (markdown ? `- ${remark}` : remark)).join('\n')}`)
}

await runCommand(help, readOptions, run)
