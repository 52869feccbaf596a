import type { Settings } from '../../server/config.ts'
import type { BrokenBlob, FilesMoved, FilesMoveEvent } from '../../server/move-files.ts'
import { UsageError } from '../arguments.ts'

/** The exit code, by which a script sees that something is left to do; 2 is for what was typed wrong. */
const notMovedYet = 3

export async function migrateFiles(settings: Settings, verify: boolean): Promise<void> {
  const { s3 } = settings
  if (!s3) throw new UsageError('where to? Say it with STOWAGE_S3_BUCKET, and what else belongs to that bucket')
  // Loaded when asked for, since the AWS SDK comes along.
  const { moveFiles } = await import('../../server/move-files.ts')
  const moved = await moveFiles({ ...settings, s3 }, { verify, tell: progress(Boolean(process.stdout.isTTY)) })
  if ('broken' in moved) sayBroken(moved.broken)
  say(`\n${outcome(moved, settings.dataDir)}\n`)
  if (moved.kind === 'copied') process.exitCode = notMovedYet
}

function outcome(moved: FilesMoved, dataDir: string): string {
  const start = `Start the server with STOWAGE_S3_BUCKET, what else belongs to that bucket, and the data directory ${dataDir}.`
  if (moved.kind === 'there already')
    return `The files are in that bucket already: there is nothing left to do.\n${start}`
  if (moved.kind === 'moved') return `Moved. The files in ${dataDir}/blobs are in use no longer.\n${start}`
  const who =
    moved.servers === undefined
      ? 'a server uses the data directory'
      : `${moved.servers === 1 ? '1 server uses' : `${moved.servers} servers use`} the database, or died less than two minutes ago`
  return `Copied, but not moved yet: ${who}. Stop every server, then run the command again: it copies what has come since, and the bucket takes the disk's place.`
}

function sayBroken(broken: readonly BrokenBlob[]): void {
  if (broken.length === 0) return
  const what = broken.length === 1 ? '1 blob' : `${count(broken.length)} blobs`
  say(`\nNOT COPIED: ${what} with other bytes on the disk than those that were published\n`)
  for (const { sha256, location, reason, files } of broken) {
    say(`  ${files.join(', ') || 'no file'}\n    blobs/${location}, of SHA-256 ${sha256}: ${reason}\n`)
  }
  say('Such a file cannot be downloaded from the bucket, until the same bytes are published again, under any name.\n')
}

/** Milliseconds between two lines where nobody can see one being written over. */
const pause = 10_000

/** How far it is, written over and over on a terminal. */
function progress(isTerminal: boolean): (event: FilesMoveEvent) => void {
  const begun = performance.now()
  let shown = begun
  return (event) => {
    if (event.kind === 'begun') {
      say(
        `Copying ${count(event.blobs)} blobs, ${megabytes(event.bytes)}, to ${event.to.replace(/^The/, 'the').replace(/,$/, '')}\n`,
      )
    } else if (event.kind === 'last look') {
      say('No server runs: copying what has come since\n')
    } else if (event.kind === 'copying') {
      const now = performance.now()
      const isDone = event.isComplete
      if (!isDone && now - shown < (isTerminal ? 100 : pause)) return
      shown = now
      const { blobs, bytes } = event.copied
      const rate = megabytes((bytes * 1000) / (now - begun))
      const line = `  ${count(event.blobs)} of ${count(event.of)}, copied ${count(blobs)}: ${megabytes(bytes)}, ${rate}/s`
      say(isTerminal ? `\r${line}\x1b[K${isDone ? '\n' : ''}` : `${line}\n`)
    }
  }
}

function megabytes(bytes: number): string {
  return `${count(Math.round(bytes / 1e6))} MB`
}

function count(rows: number): string {
  return rows.toLocaleString('en')
}

function say(text: string): void {
  process.stdout.write(text)
}
