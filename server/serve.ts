import type { SqliteThread } from './catalogue/sqlite-thread.ts'
import { compose, type Stowage, version } from './compose.ts'
import { readSettings, type Settings, SettingsError } from './config.ts'
import { startProblem } from './database.ts'
import { type FirstAdmin, makeFirstAdmin } from './first-admin.ts'
import { formatDuration } from './lib/sizes.ts'
import { openLog } from './log.ts'
import { Problem } from './problems.ts'

/** Milliseconds that running transfers get when the server is asked to stop. */
const stopGrace = 30_000
/**
 * Milliseconds within which the same signal is one request to stop: a terminal's Ctrl-C, or a service manager that signals the
 * whole group, reaches this process twice, from there and from npm.
 */
const sameRequest = 500

/** Starts the server from the environment's settings; says on standard output where it listens. `thread`: the database's, where it was started already. */
export async function serve(thread?: SqliteThread): Promise<void> {
  const settings = readSettings(process.env)
  const log = await openLog({ format: settings.logFormat, level: settings.logLevel })
  const stowage = await compose(settings, log, { thread })
  let admin: FirstAdmin
  try {
    admin = await makeFirstAdmin(settings, stowage.accounts, Boolean(process.stdout.isTTY))
  } catch (error) {
    await stowage.stop(0)
    throw await startProblem(error)
  }

  let asked: number | undefined
  const stop = async (signal: string) => {
    const now = performance.now()
    if (asked !== undefined && now - asked < sameRequest) return
    if (asked !== undefined) {
      log.warn(`${signal} again: stopping at once`)
      process.exit(1)
    }
    asked = now
    log.info(`${signal}: stopping; transfers that run may take ${formatDuration(stopGrace)} to finish`)
    await stowage.stop(stopGrace)
    log.info('Stopped')
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // Only now: who reads that it listens may ask it to stop at once.
  process.stdout.write(banner(settings, stowage, admin))
}

/** What a person who has just started the server wants to know. */
export function banner(settings: Settings, stowage: Pick<Stowage, 'url'>, admin: FirstAdmin): string {
  const base = settings.publicUrl?.href.replace(/\/$/, '') ?? stowage.url
  const lines = ['', `  Stowage ${version}`, '', `  address   ${base}`, `  data      ${settings.dataDir}`]
  if (settings.databaseUrl !== undefined) lines.push(`  database  ${databaseName(settings.databaseUrl)}`)
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
  let credentials = quoted(settings.adminUsername)
  if (admin.kind === 'shown') {
    lines.push(`  sign in   ${admin.username}`, `  password  ${admin.password}   (shown this once)`)
    credentials = quoted(`${admin.username}:${admin.password}`)
  } else if (admin.kind === 'written') {
    lines.push(`  sign in   ${admin.username}`, `  password  in ${admin.file}; delete it once you know it`)
    credentials = `"${admin.username}:$(cat ${quoted(admin.file)})"`
  } else if (admin.kind === 'configured') {
    lines.push(`  sign in   ${admin.username}, with the password from STOWAGE_ADMIN_PASSWORD`)
  }
  const trial = `${base}/api/packages/${settings.adminUsername}/generic/hello/1.0/hello.txt`
  const publish = `echo hello | curl -sSi -u ${credentials} -T - ${trial}`
  if (admin.kind !== 'exists') {
    lines.push('', '  Begin in a browser:', `  ${base}/user/login`)
    lines.push('', '  Or publish a first file, from another terminal:', `  ${publish}`)
  }
  return `${lines.join('\n')}\n\nlistening on ${stowage.url}\n`
}

/** Which PostgreSQL database that is, without what its address may hold of secrets. */
function databaseName(address: string): string {
  const { host, pathname, searchParams } = new URL(address)
  return `${pathname.slice(1)} on PostgreSQL at ${host || searchParams.get('host')}`
}

/** The same for a process that is nothing else: where it cannot start it says why, and ends. */
export async function serveOrEnd(thread: SqliteThread | undefined): Promise<void> {
  try {
    await serve(thread)
  } catch (error) {
    if (error instanceof SettingsError || error instanceof Problem) {
      process.stderr.write(`${error.message}\n`)
    } else {
      process.stderr.write(`Stowage could not start: ${error instanceof Error ? error.stack : String(error)}\n`)
    }
    process.exit(1)
  }
}
