import { availableParallelism, cpus, release, type } from 'node:os'
import { parseArgs } from 'node:util'
import { Failure } from '../failure.ts'
import { median, pairedRatio } from '../statistics.ts'
import { type Databases, type FilledCatalogue, postgresDatabases, sqliteDatabases } from './databases.ts'
import { listOperationsOn } from './list-operations.ts'
import { type Operation, operationsOn } from './operations.ts'

const help = `Measures what the catalogue costs with few files and with many, side by side: npm run bench:catalogue -- [options]

  --database sqlite|postgres|postgres://…   where (default sqlite); 'postgres' starts a server of its own, an address is one
                                            whose user may create databases
  --files N       files in the large catalogue (default 1000000)
  --small N       files in the small one (default 1000)
  --versions N    lists and searches alone, with N versions in the large catalogue, in place of files
  --rounds N      rounds of every operation (default 7)
  --runs N        runs of one operation in a round, small and large in turn (default 40)
  --only PATTERN  only the operations that match this regular expression; publishes and deletes always run
  --sizes         print bytes per row of every table and index, too
  --help          print this

Everything is kept in a temporary folder (TMPDIR says where; PostgreSQL's is in memory where there is room) that is removed
at the end.
`

interface Options {
  database: string
  files: number
  versions: number | undefined
  small: number
  rounds: number
  runs: number
  only: RegExp
  sizes: boolean
}

function readOptions(): Options | 'help' {
  const { values } = parsed()
  if (values.help) return 'help'
  return {
    database: values.database ?? 'sqlite',
    files: wholeNumber('--files', values.files ?? '1000000', 1_000, 20_000_000),
    versions: values.versions === undefined ? undefined : wholeNumber('--versions', values.versions, 1_000, 20_000_000),
    small: wholeNumber('--small', values.small ?? '1000', 1_000, 20_000_000),
    rounds: wholeNumber('--rounds', values.rounds ?? '7', 1, 100),
    runs: wholeNumber('--runs', values.runs ?? '40', 1, 1_000),
    only: new RegExp(values.only ?? ''),
    sizes: values.sizes ?? false,
  }
}

function parsed() {
  try {
    const text = { type: 'string' } as const
    const flag = { type: 'boolean' } as const
    return parseArgs({
      options: {
        ...{ database: text, files: text, versions: text, small: text, rounds: text, runs: text, only: text },
        ...{ sizes: flag, help: { ...flag, short: 'h' } },
      },
    })
  } catch (error) {
    throw new Failure(`${error instanceof Error ? error.message : error}\n--help says what there is.`)
  }
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new Failure(`${flag} takes a whole number from ${least} to ${most}, not '${text}'.`)
}

/** Where SQLite only reads, all is done in this process, whose CPU time does not move with the neighbours. */
const countsCpu = ({ database, versions }: Options) => database === 'sqlite' && versions !== undefined

function microseconds(options: Options): number {
  if (!countsCpu(options)) return performance.now() * 1_000
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Microseconds of an operation, a median for each round. */
interface Measured {
  name: string
  small: number[]
  large: number[]
}

/** The runs take turns, so that what slows the machine slows both; publishes are undone by the deletes of their round. */
async function measure(small: Operation[], large: Operation[], options: Options): Promise<Measured[]> {
  const measured = large.map(({ name }): Measured => ({ name, small: [], large: [] }))
  for (let round = 0; round < options.rounds + 1; round += 1) {
    for (const [position, operation] of large.entries()) {
      if (!options.only.test(operation.name) && !/^(publish|delete)/.test(operation.name)) continue
      const counterpart = small.find(({ name }) => name === (operation.like ?? operation.name)) as Operation
      const times = { small: [] as number[], large: [] as number[] }
      for (let run = 0; run < options.runs; run += 1) {
        const index = round * options.runs + run
        times.small.push(await timed(counterpart, index, options))
        times.large.push(await timed(operation, index, options))
      }
      // The first round warms up.
      if (round === 0) continue
      measured[position]?.small.push(median(times.small))
      measured[position]?.large.push(median(times.large))
    }
    console.error(round === 0 ? 'warmed up' : `round ${round} of ${options.rounds}`)
  }
  return measured.filter(({ small: times }) => times.length > 0)
}

async function timed(operation: Operation, index: number, options: Options): Promise<number> {
  const begin = microseconds(options)
  await operation.run(index)
  return microseconds(options) - begin
}

function asMarkdown(measured: readonly Measured[], options: Options): string {
  const { small: few, files, versions } = options
  const count = (number: number) => `${number.toLocaleString('en')} ${versions === undefined ? 'files' : 'versions'}`
  const shown = (values: number[]) => Math.round(median(values)).toLocaleString('en')
  const lines = measured.map(({ name, small, large }) => {
    const ratio = pairedRatio(large, small)
    const range = `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)})`
    return `| ${name} | ${shown(small)} | ${shown(large)} | ${range} |`
  })
  const head = `| operation | µs, ${count(few)} | µs, ${count(versions ?? files)} | ratio |`
  return [head, '| --- | ---: | ---: | ---: |', ...lines].join('\n')
}

async function sizesAsMarkdown(catalogue: FilledCatalogue): Promise<string> {
  const sizes = (await catalogue.sizes()).filter(({ table }) => !/^(kysely|sqlite)_/.test(table))
  const tables = sizes.filter(({ name, table }) => name === table).sort((a, b) => b.bytes - a.bytes)
  const lines: string[] = []
  for (const table of tables) {
    const [row] = await catalogue.execute(`select count(*) as n from ${table.name}`)
    const rows = Number(row?.n)
    if (rows < 1_000) continue
    const each = (bytes: number) => Math.round(bytes / rows)
    const indexes = sizes.filter((size) => size.table === table.name && size !== table)
    const shown = indexes.map(({ name, bytes }) => `${name} ${each(bytes)}`).join(', ')
    const whole = [table, ...indexes].reduce((sum, { bytes }) => sum + bytes, 0)
    lines.push(`| ${table.name} | ${rows.toLocaleString('en')} | ${each(table.bytes)} | ${shown} | ${each(whole)} |`)
  }
  return [
    '| table | rows | bytes a row | bytes an entry in each index | together |',
    '| --- | ---: | ---: | --- | ---: |',
    ...lines,
  ].join('\n')
}

async function run(options: Options): Promise<void> {
  const { database, files, versions, small } = options
  await using held = new AsyncDisposableStack()
  const made: Databases =
    database === 'sqlite' ? await sqliteDatabases() : await postgresDatabases(/:/.test(database) ? database : undefined)
  held.use(made)
  const content =
    versions === undefined
      ? await withFiles(made, held, [small, files], options)
      : await withVersions(made, held, [small, versions], options)
  console.log(`
- ${made.name}; ${availableParallelism()} cores (${cpus()[0]?.model.trim() || 'unknown model'}), ${type()} ${release()}, Bun ${Bun.version}
- ${content}
- ${options.rounds} rounds of ${options.runs} runs each, small and large in turn; a time (${countsCpu(options) ? 'of the CPU' : 'that passes'}) is the median of the rounds' medians, a ratio the median of the rounds' ratios (least–most)
- Date: ${new Date().toISOString().slice(0, 10)}`)
}

/** Prints the table; what the large catalogue holds. */
async function withFiles(
  made: Databases,
  held: AsyncDisposableStack,
  counts: [number, number],
  options: Options,
): Promise<string> {
  const fill = (count: number) =>
    filled(
      held,
      () => made.fill(count),
      ({ known: { packages, versions, largest } }) => {
        return `${count} files, ${versions} versions of ${packages} packages, ${largest.versions} of one`
      },
    )
  const [few, many] = [await fill(counts[0]), await fill(counts[1])]
  const operations = async (catalogue: FilledCatalogue) => operationsOn(catalogue.open(), catalogue.known)
  const measured = await measure(await operations(few), await operations(many), options)
  console.log(asMarkdown(measured, options))
  if (options.sizes) console.log(`\n${await sizesAsMarkdown(many)}`)
  const { versions, packages, largest } = many.known
  return `${options.files.toLocaleString('en')} files: ${packages.toLocaleString('en')} packages with ${versions.toLocaleString('en')} versions, ${largest.versions.toLocaleString('en')} of them of one package`
}

async function withVersions(
  made: Databases,
  held: AsyncDisposableStack,
  counts: [number, number],
  options: Options,
): Promise<string> {
  const fill = (count: number) =>
    filled(
      held,
      () => made.fillVersions(count),
      ({ known }) => `${count} versions of ${known.packages} packages`,
    )
  const [few, many] = [await fill(counts[0]), await fill(counts[1])]
  const operations = ({ open, known }: typeof few) => listOperationsOn(open(), known)
  console.log(asMarkdown(await measure(operations(few), operations(many), options), options))
  const { versions, packages } = many.known
  return `${versions.toLocaleString('en')} versions: one owner's ${packages.toLocaleString('en')} packages, half of the versions are of one of them; ${counts[0].toLocaleString('en')}: alike`
}

/** Fills a catalogue, and tells with what and how long it took. */
async function filled<Catalogue extends AsyncDisposable>(
  held: AsyncDisposableStack,
  fill: () => Promise<Catalogue>,
  what: (catalogue: Catalogue) => string,
): Promise<Catalogue> {
  const begin = performance.now()
  const catalogue = held.use(await fill())
  console.error(`${what(catalogue)}: in ${((performance.now() - begin) / 1_000).toFixed(1)} s`)
  return catalogue
}

try {
  const options = readOptions()
  if (options === 'help') console.log(help.trimEnd())
  else await run(options)
} catch (error) {
  console.error(error instanceof Failure ? error.message : error)
  process.exitCode = 1
}
process.exit()
