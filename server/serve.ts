import type { SqliteThread } from './catalogue/sqlite-thread.ts'
import { compose, type Stowage, version } from './compose.ts'
import { readSettings, type Settings } from './config.ts'
import { startProblem } from './database.ts'
import { type FirstAdmin, makeFirstAdmin } from './first-admin.ts'
import { formatDuration } from './lib/sizes.ts'
import { openLog } from './log.ts'
import { onStopSignals } from './stop-signals.ts'
import type { placeOfThisWorker } from './worker-place.ts'

/** Milliseconds that running transfers get when the server is asked to stop. */
const stopGrace = 30_000

interface Start {
  /** SQLite's, where it was started already. */
  thread?: SqliteThread | undefined
  /** Which of several processes this is. */
  worker?: ReturnType<typeof placeOfThisWorker>
}

/** Starts the server from the environment's settings; says on standard output where it listens, or to whoever started this worker. */
export async function serve({ thread, worker }: Start = {}): Promise<void> {
  const settings = readSettings(process.env)
  const whole = await openLog({ format: settings.logFormat, level: settings.logLevel })
  const log = worker ? whole.child({ 'worker.number': worker.number }) : whole
  const stowage = await compose(settings, log, { thread, worker })
  let admin: FirstAdmin
  try {
    admin = await makeFirstAdmin(settings, stowage.accounts, Boolean(process.stdout.isTTY))
  } catch (error) {
    await stowage.stop(0)
    throw await startProblem(error)
  }

  onStopSignals(
    log,
    async (signal) => {
      log.info(`${signal}: stopping; transfers that run may take ${formatDuration(stopGrace)} to finish`)
      await stowage.stop(stopGrace)
      log.info('Stopped')
    },
    () => process.exit(1),
  )
  const unset = publicUrlMissing(settings, stowage)
  if (unset !== undefined && (worker?.isFirst ?? true)) log.warn(unset)
  // Only now: who reads that it listens may ask it to stop at once.
  const text = banner(settings, stowage, admin)
  if (worker) worker.listens(Number(new URL(stowage.url).port), text)
  else process.stdout.write(text)
}

/** What a person who has just started the server wants to know. */
export function banner(settings: Settings, stowage: Pick<Stowage, 'url'>, admin: FirstAdmin): string {
  const base = settings.publicUrl?.href.replace(/\/$/, '') ?? addressHere(stowage.url)
  const lines = ['', `  Stowage ${version}`, '', `  address   ${base}`, `  data      ${settings.dataDir}`]
  if (settings.workers > 1) lines.push(`  workers   ${settings.workers}`)
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

/** What somebody has to be told whose links lead nowhere. */
export function publicUrlMissing(settings: Settings, { url }: Pick<Stowage, 'url'>): string | undefined {
  if (settings.publicUrl !== undefined) return undefined
  const isBehindProxy = settings.shown.some(({ name, isSet }) => name === 'STOWAGE_TRUSTED_PROXIES' && isSet)
  if (addressHere(url) === url && !isBehindProxy) return undefined
  return `STOWAGE_PUBLIC_URL is not set: links show ${url}, which leads nobody here.`
}

/** On this machine, where it listens at all of its addresses. */
function addressHere(url: string): string {
  const address = new URL(url)
  const loopback = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' }[address.hostname]
  if (loopback === undefined) return url
  address.hostname = loopback
  return address.origin
}

/** Which PostgreSQL database that is, without what its address may hold of secrets. */
function databaseName(address: string): string {
  const { host, pathname, searchParams } = new URL(address)
  return `${pathname.slice(1)} on PostgreSQL at ${host || searchParams.get('host')}`
}
