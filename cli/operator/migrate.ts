import { databaseUrl, readSettings } from '../../server/config.ts'
import { type MoveEvent, moveToPostgres, undoMove } from '../../server/move.ts'
import { readArguments, UsageError } from '../arguments.ts'
import { migrateFiles } from './migrate-files.ts'

const help = `stowage migrate [--to postgres://USER@HOST/DATABASE]
stowage migrate --undo [--to postgres://USER@HOST/DATABASE | --force]
stowage migrate --files [--verify]

Moves the database, or with --files the files: to do both, run one after the other.

Without --files, moves the installation in STOWAGE_DATA_DIR from SQLite to an empty PostgreSQL database. Stop the server first. The files
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

With --files, moves the files in STOWAGE_DATA_DIR to the S3 bucket of STOWAGE_S3_BUCKET, which must be empty, or empty
under STOWAGE_S3_PREFIX. The database is the one that the server has: STOWAGE_DATABASE_URL, or SQLite. Servers may run
meanwhile, and publish: run it once beside them, stop them, and run it again. Then it copies what has come since, which
takes moments, and the bucket takes the disk's place. While servers run it ends with exit code 3: copied, but not moved
yet. Broken off anywhere, the same command goes on where it stopped. Each file's SHA-256 is compared before it is in
the bucket; what is broken on the disk is named, and left out. Nothing is removed from the disk.

  --verify  reads back what the bucket has, also from earlier runs, and compares its SHA-256.

Afterwards start the server with STOWAGE_S3_BUCKET and what else belongs to it, on the same STOWAGE_DATA_DIR.
`

const isBack = 'SQLite is in use again, as it was when it was moved. Start the server without STOWAGE_DATABASE_URL.\n'

export async function migrate(args: string[]): Promise<void> {
  const options = readArguments(args, {
    to: { type: 'string' },
    undo: { type: 'boolean' },
    force: { type: 'boolean' },
    files: { type: 'boolean' },
    verify: { type: 'boolean' },
  })
  if (options.help) {
    process.stdout.write(help)
    return
  }
  if (options.verify && !options.files) throw new UsageError('--verify is for --files alone')
  if (options.files && (options.to !== undefined || options.undo || options.force)) {
    throw new UsageError('--files goes with --verify alone: the bucket is that of STOWAGE_S3_BUCKET')
  }
  if (options.force && !options.undo) throw new UsageError('--force is for --undo alone')
  if (options.force && options.to !== undefined) throw new UsageError('--force asks no database, so it needs no --to')
  const settings = readSettings(process.env)
  if (options.files) {
    await migrateFiles(settings, options.verify ?? false)
    return
  }
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
