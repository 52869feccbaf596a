import { databaseUrl, readSettings } from '../../server/config.ts'
import { type MoveEvent, moveToPostgres, undoMove } from '../../server/move.ts'
import { readArguments, UsageError } from '../arguments.ts'

const help = `stowage migrate [--to postgres://USER@HOST/DATABASE]
stowage migrate --undo [--to postgres://USER@HOST/DATABASE | --force]

Moves the installation in STOWAGE_DATA_DIR from SQLite to an empty PostgreSQL database. Stop the server first. The files
stay where they are. At the end the number of rows and a SHA-256 over all rows of each table are compared, and only when
they are the same does PostgreSQL take SQLite's place. Broken off anywhere, the same command goes on where it stopped;
until it has succeeded, the server can be started on SQLite as before.

  --to    the database; without it, STOWAGE_DATABASE_URL. Other users of the machine see what is on a command line:
          put a password there, or into PGPASSWORD, rather than here.
  --undo  back to SQLite, as it was when it was moved. What was published or changed on PostgreSQL since is lost.
          Stop every server first: it asks that database, which must be named, and refuses while one runs on it.
  --force with --undo, where that database is gone for good: goes back without asking it. A server that still runs on
          it goes on beside SQLite, on the same files, and each of the two removes what only the other one knows.

Afterwards start the server with STOWAGE_DATABASE_URL, on the same STOWAGE_DATA_DIR.
`

const isBack = 'SQLite is in use again, as it was when it was moved. Start the server without STOWAGE_DATABASE_URL.\n'

export async function migrate(args: string[]): Promise<void> {
  const options = readArguments(args, {
    to: { type: 'string' },
    undo: { type: 'boolean' },
    force: { type: 'boolean' },
  })
  if (options.help) {
    process.stdout.write(help)
    return
  }
  if (options.force && !options.undo) throw new UsageError('--force is for --undo alone')
  if (options.force && options.to !== undefined) throw new UsageError('--force asks no database, so it needs no --to')
  const settings = readSettings(process.env)
  if (options.force) {
    await undoMove(settings, 'gone')
    say(isBack)
    return
  }
  const url = options.to ?? settings.databaseUrl
  if (url === undefined) {
    throw new UsageError(
      options.undo
        ? 'back from where? Say it with --to postgres://… or STOWAGE_DATABASE_URL; where that database is gone for good, add --force'
        : 'where to? Say it with --to postgres://… or STOWAGE_DATABASE_URL',
    )
  }
  if (databaseUrl(url) === undefined) {
    throw new Error('--to must be the address of a database, such as postgres://stowage@db.example.com/stowage')
  }
  if (options.undo) {
    await undoMove(settings, { url })
    say(isBack)
    return
  }
  const moved = await moveToPostgres(settings, url, progress(Boolean(process.stdout.isTTY)))
  say(
    moved.kind === 'moved before'
      ? `This installation was moved to that database at ${moved.at}: there is nothing left to do.\n`
      : '\nMoved.\n',
  )
  say(`Start the server with STOWAGE_DATABASE_URL and the data directory ${settings.dataDir}.\n`)
}

/** A line for each table, written over and over on a terminal while its rows are copied. */
function progress(isTerminal: boolean): (event: MoveEvent) => void {
  const line = (table: string, rows: string, rest = '') => `  ${table.padEnd(16)}${rows.padStart(12)}${rest}`
  return (event) => {
    if (event.kind === 'begun') {
      const how = {
        'from the beginning': '',
        resumed: ', going on where it stopped',
        anew: ' anew, since what was copied before is out of date',
      }[event.how]
      say(`Copying to PostgreSQL ${event.server}${how}\n`)
    } else if (event.kind === 'copied') {
      const isDone = event.rows === event.of
      if (isTerminal && !isDone) {
        say(`\r${line(event.table, count(event.rows), ` of ${count(event.of)}`)}\x1b[K`)
      } else if (isDone) {
        say(`${isTerminal ? '\r' : ''}${line(event.table, count(event.rows))}${isTerminal ? '\x1b[K' : ''}\n`)
      }
    } else if (event.kind === 'comparing') {
      say('Comparing: rows, and the SHA-256 of all of them\n')
    } else if (event.kind === 'compared') {
      const { source, target, differsAt } = event.comparison
      say(`${line(event.table, count(source.rows), `  ${source.sha256}`)}\n`)
      if (differsAt !== undefined) {
        say(`${line('  PostgreSQL', count(target.rows), `  ${target.sha256}  DIFFERENT from ${differsAt}`)}\n`)
      }
    }
  }
}

function count(rows: number): string {
  return rows.toLocaleString('en')
}

function say(text: string): void {
  process.stdout.write(text)
}
