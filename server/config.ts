import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { type Issuer, parseIssuers } from './lib/issuers.ts'
import type { OidcProvider } from './lib/oidc-provider.ts'
import { type AllowedHosts, parseAllowedHosts } from './lib/outgoing-addresses.ts'
import { parseTrustedProxies, type TrustedProxies } from './lib/real-address.ts'
import type { S3Place } from './lib/s3-place.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from './lib/sizes.ts'
import { maxPasswordLength, minPasswordLength, ownerName } from './names.ts'
import { parseProviders, providerKeys, providerMeanings, providerVariable } from './oidc-settings.ts'

/** Variables with our prefix that are not the server's: the client's, and what Kubernetes injects for a service `stowage`. */
const foreign = /^STOWAGE_(URL|TOKEN|PORT|PORT_.*|SERVICE_.*)$/

/** A text setting that is read by `read`; `undefined` from it means that the text cannot be read. */
function readAs<T>(read: (text: string) => T | undefined, expected: string) {
  return z.string().transform((text, context) => {
    const value = read(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: expected })
    return z.NEVER
  })
}

function listenAddress(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  return host !== undefined && port <= 65_535 ? { host, port } : undefined
}

function publicUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const plain = !url.username && !url.password && !url.search && !url.hash
  // Routes are made from it: no signs that are escaped, or that a pattern would read.
  if (!/^(\/[A-Za-z0-9._~-]+){0,8}\/*$/.test(url.pathname)) return undefined
  if (!plain || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}

/** Kept as it was written: what stands behind the database's name is the driver's to read. */
export function databaseUrl(text: string): string | undefined {
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) return undefined
  const { hostname, pathname, searchParams } = new URL(text)
  return (hostname || searchParams.has('host')) && pathname.length > 1 ? text : undefined
}

function adminName(text: string): string | undefined {
  try {
    return ownerName(text).text
  } catch {
    return undefined
  }
}

function trustedProxies(text: string): TrustedProxies | undefined {
  const parsed = parseTrustedProxies(text)
  return 'wrong' in parsed ? undefined : parsed
}

function allowedHosts(text: string): AllowedHosts | undefined {
  const parsed = parseAllowedHosts(text)
  return 'wrong' in parsed ? undefined : parsed
}

/** Headers that say something else than who has signed in. */
const otherHeaders =
  /^(authorization|cookie|host|origin|forwarded|x-forwarded-(for|host|port|proto)|x-real-ip|sec-.*|content-.*)$/

/** A header's name (RFC 9110 §5.1), folded. */
function headerName(text: string): string | undefined {
  const name = text.toLowerCase()
  return /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !otherHeaders.test(name) ? name : undefined
}

/** Origins (RFC 6454) as browsers send them, apart by commas or spaces. */
function origins(text: string): readonly string[] | undefined {
  const list = text.split(/[\s,]+/).filter(Boolean)
  const isOrigin = (origin: string) => /^https?:/.test(origin) && URL.parse(origin)?.origin === origin
  return list.every(isOrigin) ? list : undefined
}

function smtpUrl(text: string): string | undefined {
  const url = URL.parse(text)
  return url && /^smtps?:$/.test(url.protocol) && url.hostname ? text : undefined
}

function mailAddress(text: string): string | undefined {
  return /^(?:[^<>\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/.test(text.trim()) ? text.trim() : undefined
}

/** An S3 bucket (lower case, as every store takes it). */
function bucketName(text: string): string | undefined {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text) ? text : undefined
}

function s3Endpoint(text: string): string | undefined {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || !url.hostname) return undefined
  const isPlain = !url.username && !url.password && !url.search && !url.hash
  return isPlain ? text.replace(/\/+$/, '') : undefined
}

/** Signs that are escaped nowhere, so that a key is the same for every store. Ends in a slash. */
function s3Prefix(text: string): string | undefined {
  const names = text.replace(/\/$/, '').split('/')
  const isName = (name: string) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)
  return text.length <= 512 && names.every(isName) ? `${names.join('/')}/` : undefined
}

function readableFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const size = 'must be a size, such as 10GiB, 500 MB or a number of bytes'
const duration = 'must be a duration, such as 30s, 15m, 1h or 0'

/** When a session was used is written down once a minute, so one that is in use all the time must live for some of them. */
function sessionTime(text: string): number | undefined {
  const time = parseDuration(text)
  return time !== undefined && time >= 5 * 60_000 && time <= 3650 * 24 * 60 * 60_000 ? time : undefined
}

/** So short that nobody looks in time would be none. */
function retention(text: string): number | undefined {
  const time = parseDuration(text)
  return time !== undefined && time >= 24 * 60 * 60_000 ? time : undefined
}

const yesOrNo = (usual: 'true' | 'false') =>
  z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .prefault(usual)

/** Something that goes into a header as it is. */
function visible(text: string): string | undefined {
  return /^[!-~]+$/.test(text) ? text : undefined
}

const variables = {
  STOWAGE_LISTEN: readAs(
    listenAddress,
    'must be host:port, such as 127.0.0.1:3000 or [::]:3000; port 0 takes a free one',
  ).prefault('127.0.0.1:3000'),
  STOWAGE_PUBLIC_URL: readAs(
    publicUrl,
    'must be an http or https address, such as https://packages.example.com or https://example.com/stowage',
  ).optional(),
  STOWAGE_WORKERS: readAs(
    (text) => (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= 64 ? Number(text) : undefined),
    'must be a number of processes from 1 to 64',
  ).prefault('1'),
  STOWAGE_DATABASE_URL: readAs(
    databaseUrl,
    'must be the address of a PostgreSQL database, such as postgres://stowage:password@db.example.com/stowage',
  ).optional(),
  STOWAGE_DATABASE_CONNECTIONS: readAs(
    (text) => (/^\d{1,4}$/.test(text) && Number(text) >= 2 ? Number(text) : undefined),
    'must be a number from 2 to 9999',
  ).prefault('20'),
  STOWAGE_S3_BUCKET: readAs(
    bucketName,
    'must be the name of a bucket: 3 to 63 lower-case letters, digits, dots and dashes',
  ).optional(),
  STOWAGE_S3_ENDPOINT: readAs(
    s3Endpoint,
    'must be an http or https address without a password, such as https://s3.example.com',
  ).optional(),
  STOWAGE_S3_REGION: readAs(
    (text) => (/^[A-Za-z0-9-]{1,64}$/.test(text) ? text : undefined),
    'must be the name of a region, such as eu-central-1 or auto',
  ).prefault('us-east-1'),
  STOWAGE_S3_PREFIX: readAs(
    s3Prefix,
    'must be names of letters, digits, - _ and . with a slash between them, such as stowage or team/stowage',
  ).optional(),
  STOWAGE_S3_ACCESS_KEY_ID: readAs(visible, 'must be an access key: no spaces').optional(),
  STOWAGE_S3_SECRET_ACCESS_KEY: readAs(visible, 'must be an access key: no spaces').optional(),
  STOWAGE_S3_PATH_STYLE: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  STOWAGE_S3_DIRECT_DOWNLOADS: yesOrNo('false'),
  STOWAGE_DATA_DIR: readAs((text) => (text.trim() ? resolve(text) : undefined), 'must be a folder').prefault('./data'),
  STOWAGE_ADMIN_USERNAME: readAs(
    adminName,
    'must be a user name: letters and digits, single - _ . between them, at most 40 characters, not a reserved word',
  ).prefault('admin'),
  STOWAGE_ADMIN_PASSWORD: z
    .string()
    .min(minPasswordLength, `must have at least ${minPasswordLength} characters`)
    .max(maxPasswordLength, `must have at most ${maxPasswordLength} characters`)
    .optional(),
  STOWAGE_LIMIT_FILE_SIZE: readAs(
    (text) => (text === 'unlimited' ? Number.POSITIVE_INFINITY : parseSize(text)),
    `${size}, or unlimited`,
  ).prefault('unlimited'),
  STOWAGE_AUDIT_RETENTION: readAs(
    (text) => (text === 'forever' ? Number.POSITIVE_INFINITY : retention(text)),
    'must be a duration from 1d, such as 90d or 365d, or forever',
  ).prefault('365d'),
  STOWAGE_BLOB_GRACE: readAs(parseDuration, duration).prefault('1h'),
  STOWAGE_TRUSTED_PROXIES: readAs(
    trustedProxies,
    'must be addresses or ranges separated by commas, such as 127.0.0.1, 10.0.0.0/8, ::1',
  ).prefault(''),
  STOWAGE_QUERY_TOKENS: yesOrNo('false'),
  STOWAGE_REQUIRE_SIGN_IN: yesOrNo('false'),
  STOWAGE_SIGN_UP: yesOrNo('false'),
  STOWAGE_PASSWORD_LOGIN: yesOrNo('true'),
  STOWAGE_PROXY_SIGN_IN_HEADER: readAs(
    headerName,
    'must be the name of a header that the proxy sets, such as X-Remote-User',
  ).optional(),
  STOWAGE_CORS_ORIGINS: readAs(
    origins,
    'must be origins separated by commas, such as https://tools.example.com (no path, no trailing slash)',
  ).prefault(''),
  STOWAGE_SECRET_KEY: z
    .string()
    .min(32, 'must have at least 32 characters: openssl rand -base64 32 makes one')
    .optional(),
  STOWAGE_SESSION_IDLE: readAs(sessionTime, 'must be a duration from 5m to 3650d, such as 12h or 7d').prefault('7d'),
  STOWAGE_SESSION_LIFETIME: readAs(sessionTime, 'must be a duration from 5m to 3650d, such as 12h or 30d').prefault(
    '30d',
  ),
  STOWAGE_SMTP_URL: readAs(
    smtpUrl,
    'must be the address of a mail server, such as smtps://user:password@mail.example.com or smtp://localhost:25',
  ).optional(),
  STOWAGE_MAIL_FROM: readAs(
    mailAddress,
    'must be an e-mail address, such as packages@example.com or Packages <packages@example.com>',
  ).optional(),
  STOWAGE_WEBHOOK_ALLOWED_HOSTS: readAs(
    allowedHosts,
    'must be host names, *.suffixes, addresses or ranges separated by commas, such as ci.example.com, *.internal, 10.0.0.0/8',
  ).prefault(''),
  STOWAGE_OIDC_PUBLISHERS: readAs(
    parseIssuers,
    'must be issuers separated by commas, each once and 20 at most, with https addresses, or http on this machine: github, gitlab, https://ci.example.com, gitlab=https://gitlab.example.com',
  ).prefault(''),
  STOWAGE_METRICS_TOKEN: readAs(
    (text) => (/^[!-~]{16,}$/.test(text) ? text : undefined),
    'must have at least 16 characters and no space: openssl rand -base64 24 makes one',
  ).optional(),
  STOWAGE_METRICS_ALLOWED_ADDRESSES: readAs(
    trustedProxies,
    'must be addresses or ranges separated by commas, such as 127.0.0.1, 10.0.0.0/8, ::1',
  ).optional(),
  STOWAGE_LOG_FORMAT: z.enum(['pretty', 'json']).optional(),
  STOWAGE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).prefault('info'),
  STOWAGE_TLS_CERT: readAs(readableFile, 'must be the path of a readable PEM file').optional(),
  STOWAGE_TLS_KEY: readAs(readableFile, 'must be the path of a readable PEM file').optional(),
}

const secrets = new Set([
  'STOWAGE_ADMIN_PASSWORD',
  'STOWAGE_TLS_KEY',
  'STOWAGE_DATABASE_URL',
  'STOWAGE_SECRET_KEY',
  'STOWAGE_SMTP_URL',
  'STOWAGE_METRICS_TOKEN',
  'STOWAGE_S3_ACCESS_KEY_ID',
  'STOWAGE_S3_SECRET_ACCESS_KEY',
])

const schema = z.object(variables)

type Name = keyof typeof variables

/** Every variable that the server reads. */
export const settingNames = Object.keys(variables) as Name[]

const adminMeaning = 'the first administrator, made only where no user exists'
const sessionMeaning = "how long a browser's session lasts without a request, and in any case"
const mailMeaning =
  'the mail server for invitations and reset links, and the sender: `smtps://user:password@mail.example.com`'
const metricsMeaning =
  'who may see `/metrics`: a token of 16 characters or more, addresses and ranges; with both set both must hold, with neither there is none'
const logMeaning = 'logs go to standard error; levels `debug info warn error silent`'
const s3KeyMeaning =
  "who may use the bucket; without them AWS's own ways count: variables, profiles, the role of a container or machine"
const tlsMeaning = 'PEM files, to serve HTTPS without a proxy'

/** What each does, in the words of the README's table; a test compares the two. */
const meanings: Record<Name, string> = {
  STOWAGE_LISTEN: 'host:port; port 0 takes a free one; `0.0.0.0:3000` for all interfaces',
  STOWAGE_PUBLIC_URL: 'what links show; a path such as `https://example.com/stowage` works',
  STOWAGE_DATA_DIR: 'database and files',
  STOWAGE_WORKERS: 'processes that answer requests, all at the same address; on Linux',
  STOWAGE_DATABASE_URL:
    'a PostgreSQL database (14 to 18) in the place of SQLite: `postgres://stowage:password@db.example.com/stowage`',
  STOWAGE_DATABASE_CONNECTIONS: 'connections to PostgreSQL of each process at most, half of them for reading',
  STOWAGE_S3_BUCKET: 'an S3 bucket for the files, in the place of the data directory',
  STOWAGE_S3_ENDPOINT: "the store's address, where it is not Amazon's: `https://s3.example.com`",
  STOWAGE_S3_REGION:
    "the bucket's region; `auto` for Cloudflare R2; without it `AWS_REGION` or `AWS_DEFAULT_REGION` counts",
  STOWAGE_S3_PREFIX: 'what every key in the bucket begins with: `stowage`',
  STOWAGE_S3_ACCESS_KEY_ID: s3KeyMeaning,
  STOWAGE_S3_SECRET_ACCESS_KEY: s3KeyMeaning,
  STOWAGE_S3_PATH_STYLE: "whether the bucket stands in the address's path instead of its host name",
  STOWAGE_S3_DIRECT_DOWNLOADS: 'whether downloads are redirected to the bucket, by links that work for a minute',
  STOWAGE_ADMIN_USERNAME: adminMeaning,
  STOWAGE_ADMIN_PASSWORD: adminMeaning,
  STOWAGE_LIMIT_FILE_SIZE: 'largest file: `10GiB`, `500 MB`, a number of bytes',
  STOWAGE_AUDIT_RETENTION: 'how long the audit log is kept: `90d`, from `1d` on, or `forever`',
  STOWAGE_BLOB_GRACE: 'how long the bytes of deleted files stay on disk',
  STOWAGE_TRUSTED_PROXIES: 'addresses and ranges whose `X-Forwarded-For` counts: `127.0.0.1, 10.0.0.0/8`',
  STOWAGE_QUERY_TOKENS: 'whether `?token=` is a credential (it ends up in logs, so better not)',
  STOWAGE_REQUIRE_SIGN_IN: 'whether only who has signed in sees anything',
  STOWAGE_SIGN_UP: 'whether strangers may make themselves an account',
  STOWAGE_PASSWORD_LOGIN: 'whether passwords are credentials; tokens are in any case',
  STOWAGE_PROXY_SIGN_IN_HEADER: 'the header in which a trusted proxy names who has signed in there',
  STOWAGE_CORS_ORIGINS: 'whose pages may read answers of `/api`: `https://tools.example.com`',
  STOWAGE_SECRET_KEY:
    'what secrets in the database are encrypted with: 32 characters or more, the same on all servers of a database',
  STOWAGE_SESSION_IDLE: sessionMeaning,
  STOWAGE_SESSION_LIFETIME: sessionMeaning,
  STOWAGE_SMTP_URL: mailMeaning,
  STOWAGE_MAIL_FROM: mailMeaning,
  STOWAGE_WEBHOOK_ALLOWED_HOSTS:
    'where webhooks may lead beside the internet: host names, `*.suffixes`, addresses and ranges, separated by commas',
  STOWAGE_OIDC_PUBLISHERS:
    'whose ID tokens may publish without a stored secret: `github`, `gitlab`, `gitlab=https://gitlab.example.com`, `https://ci.example.com`',
  STOWAGE_METRICS_TOKEN: metricsMeaning,
  STOWAGE_METRICS_ALLOWED_ADDRESSES: metricsMeaning,
  STOWAGE_LOG_FORMAT: logMeaning,
  STOWAGE_LOG_LEVEL: logMeaning,
  STOWAGE_TLS_CERT: tlsMeaning,
  STOWAGE_TLS_KEY: tlsMeaning,
}

/** A setting as an administrator may read it: never a secret. */
export interface ShownSetting {
  name: string
  /** As it is in force, in words. */
  value: string
  /** False: the default holds. */
  isSet: boolean
  isSecret: boolean
  /** What it does; names and examples in backticks. */
  meaning: string
}

/** What holds where nothing is set, beside `none`. */
const otherwise: Partial<Record<Name, string>> = {
  STOWAGE_PUBLIC_URL: 'from the listen address',
  STOWAGE_DATABASE_URL: 'none: SQLite in the data directory',
  STOWAGE_SECRET_KEY: 'not set: the file secret-key in the data directory holds it',
  STOWAGE_ADMIN_PASSWORD: 'not set',
  STOWAGE_S3_BUCKET: 'none: files are in the data directory',
  STOWAGE_S3_ENDPOINT: "Amazon's, for the region",
  STOWAGE_S3_ACCESS_KEY_ID: 'not set',
  STOWAGE_S3_SECRET_ACCESS_KEY: 'not set',
  STOWAGE_S3_PATH_STYLE: 'yes where an endpoint is set',
  STOWAGE_SMTP_URL: 'not set: no mail is sent',
  STOWAGE_METRICS_TOKEN: 'not set',
  STOWAGE_TLS_KEY: 'not set',
  STOWAGE_LOG_FORMAT: 'pretty on a terminal, else json',
}

/** What is in force, from the variables as they were set and as they were read. */
function shownSettings(environment: Record<string, string | undefined>, values: Values): readonly ShownSetting[] {
  const named = settingNames.map((name) => {
    const text = environment[name] || undefined
    const isSecret = secrets.has(name)
    const value = isSecret ? withoutSecret(name, text) : inWords(name, text, values[name])
    return {
      name,
      value: value ?? otherwise[name] ?? 'none',
      isSet: text !== undefined,
      isSecret,
      meaning: meanings[name],
    }
  })
  return [...named, ...shownProviders(environment)]
}

/** What is set of OpenID providers: their names are anything, so what is not set cannot be listed. */
function shownProviders(environment: Record<string, string | undefined>): ShownSetting[] {
  return Object.entries(environment)
    .flatMap(([name, text]) => {
      const said = text ? providerVariable(name) : undefined
      if (!said || !text) return []
      const isSecret = said.key === 'CLIENT_SECRET'
      const value = isSecret ? 'set' : withoutUserinfo(text)
      return [{ name, value, isSet: true, isSecret, meaning: providerMeanings[said.key] }]
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

type Values = z.output<typeof schema>

/** That it is set. Of a database also where it is; what looks like anything else than a host and a name may be part of a password. */
function withoutSecret(name: Name, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const url = name === 'STOWAGE_DATABASE_URL' ? URL.parse(text) : null
  const place = url && `${url.host}${url.pathname}`
  return place && /^[\w.:[\]-]+\/[\w.-]+$/.test(place) ? `set: ${place}` : 'set'
}

const sizes: ReadonlySet<Name> = new Set(['STOWAGE_LIMIT_FILE_SIZE'])
const counts: ReadonlySet<Name> = new Set(['STOWAGE_DATABASE_CONNECTIONS', 'STOWAGE_WORKERS'])

function inWords(name: Name, text: string | undefined, value: Values[Name]): string | undefined {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') {
    if (counts.has(name)) return String(value)
    if (!Number.isFinite(value)) return sizes.has(name) ? 'unlimited' : 'forever'
    return sizes.has(name) ? formatSize(value) : durationInWords(value)
  }
  // A folder is told as it was found, everything else as it was written.
  if (text === undefined || name === 'STOWAGE_DATA_DIR') return plainly(value)
  return withoutUserinfo(text)
}

/** Of what was not set. */
function plainly(value: Values[Name]): string | undefined {
  if (typeof value === 'string') return value
  if (value && typeof value === 'object' && 'port' in value && 'host' in value && !(value instanceof URL))
    return `${value.host}:${value.port}`
  return undefined
}

function durationInWords(milliseconds: number): string {
  const { number = '0', unit = '' } = /^(?<number>\d+)(?<unit>\D*)$/.exec(formatDuration(milliseconds))?.groups ?? {}
  const word = { d: 'day', h: 'hour', m: 'minute', s: 'second', ms: 'millisecond' }[unit] ?? 'second'
  return `${number} ${word}${number === '1' ? '' : 's'}`
}

function shown(name: string, value: string | undefined): string {
  // A variable that does not exist may be the mistyped name of a secret.
  const isSecret = name in variables ? secrets.has(name) : /PASS|SECRET|TOKEN|KEY/i.test(name)
  return isSecret ? '[secret]' : withoutUserinfo(JSON.stringify(value))
}

/** Milliseconds for which a link to the bucket works: whoever waits longer asks again. */
const directLinkLifetime = 60_000

/** Everything that can be set, read and checked. Sizes are bytes, times milliseconds. */
export interface Settings {
  listen: { host: string; port: number }
  /** Processes that answer requests. */
  workers: number
  /** Without a trailing slash; undefined: made from the listen address. */
  publicUrl: URL | undefined
  /** A PostgreSQL database; undefined: SQLite in the data directory. */
  databaseUrl: string | undefined
  /** Connections to PostgreSQL of each process at most. */
  databaseConnections: number
  /** Where the files are; undefined: in the data directory. */
  s3: S3Place | undefined
  /** For how long a link to the bucket works, to which downloads are redirected; undefined: all are sent from here. */
  linkLifetime: number | undefined
  /** Absolute. */
  dataDir: string
  adminUsername: string
  adminPassword: string | undefined
  /** Infinity where there is no limit. */
  maxFileSize: number
  blobGrace: number
  /** How long the audit log is kept; Infinity: for ever. */
  auditRetention: number
  trustedProxies: TrustedProxies
  /** Whether `?token=` counts as a credential: tokens in addresses end up in logs. */
  queryTokens: boolean
  /** Whether nobody sees anything before he has signed in. */
  requireSignIn: boolean
  /** Whether strangers may make themselves an account. */
  signUp: boolean
  /** Whether passwords are credentials; tokens are in any case. */
  passwordLogin: boolean
  /** The header, in lower case, in which a trusted proxy says who has signed in there. */
  proxySignInHeader: string | undefined
  /** Whose pages may read answers. */
  corsOrigins: readonly string[]
  /** What secrets are encrypted with; undefined: a file in the data directory holds it. */
  secretKey: string | undefined
  /** How long a browser's session lasts without a request, and in any case. */
  sessionIdle: number
  sessionLifetime: number
  /** The mail server; undefined: no mail is sent. */
  smtpUrl: string | undefined
  mailFrom: string | undefined
  /** Where webhooks may lead beside the internet. */
  webhookAllowedHosts: AllowedHosts
  /** Who tells who people are. */
  oidcProviders: readonly OidcProvider[]
  /** Whose ID tokens may publish, where a rule of an owner says so. */
  publishers: readonly Issuer[]
  /** Who may see `/metrics`: where both are set, both must hold; where neither is, there are none. */
  metricsToken: string | undefined
  metricsAddresses: TrustedProxies | undefined
  logFormat: 'pretty' | 'json' | undefined
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** PEM texts. */
  tls: { cert: string; key: string } | undefined
  /** All of them, for whoever runs the site. */
  shown: readonly ShownSetting[]
}

/** Says everything that is wrong with the settings, a line each. */
export class SettingsError extends Error {
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(`Stowage cannot start with these settings:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`)
    this.name = 'SettingsError'
    this.mistakes = mistakes
  }
}

function s3Settings(values: Values): S3Place | undefined {
  const { STOWAGE_S3_BUCKET: bucket, STOWAGE_S3_ENDPOINT: endpoint } = values
  if (bucket === undefined) return undefined
  const { STOWAGE_S3_ACCESS_KEY_ID: accessKeyId, STOWAGE_S3_SECRET_ACCESS_KEY: secretAccessKey } = values
  return {
    bucket,
    endpoint,
    region: values.STOWAGE_S3_REGION,
    prefix: values.STOWAGE_S3_PREFIX ?? '',
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
    // Few stores beside Amazon's have a host name for each bucket.
    pathStyle: values.STOWAGE_S3_PATH_STYLE ?? endpoint !== undefined,
  }
}

/** The variable that says it. Where a bucket's region is not set, AWS's own ones do, as with the keys. */
function whereSet(name: string, environment: Record<string, string | undefined>): string {
  if (name !== 'STOWAGE_S3_REGION' || !environment.STOWAGE_S3_BUCKET) return name
  return [name, 'AWS_REGION', 'AWS_DEFAULT_REGION'].find((variable) => environment[variable]) ?? name
}

/** Settings of which one says nothing without the other. */
const pairs = [
  ['STOWAGE_TLS_CERT', 'STOWAGE_TLS_KEY'],
  ['STOWAGE_SMTP_URL', 'STOWAGE_MAIL_FROM'],
  ['STOWAGE_S3_ACCESS_KEY_ID', 'STOWAGE_S3_SECRET_ACCESS_KEY'],
] as const satisfies [Name, Name][]

/** Reads the settings from environment variables; throws one `SettingsError` that names every mistake. */
export function readSettings(environment: Record<string, string | undefined>): Settings {
  const mistakes = Object.keys(environment)
    .filter(
      (name) =>
        environment[name] !== undefined &&
        /^STOWAGE_/i.test(name) &&
        !foreign.test(name) &&
        !(name in variables) &&
        !providerVariable(name),
    )
    .map((name) => `${name} is ${shown(name, environment[name])}, but there is no such setting. ${suggestion(name)}`)

  const parsed = schema.safeParse(
    // An empty variable is a variable that is not set: that is how Compose files and CI systems hand them over.
    Object.fromEntries(
      Object.keys(variables).map((name) => [name, environment[whereSet(name, environment)] || undefined]),
    ),
  )
  for (const issue of parsed.error?.issues ?? []) {
    const name = whereSet(String(issue.path[0]), environment)
    const got = shown(name, environment[name])
    const expected = issue.code === 'invalid_value' ? `must be one of ${issue.values.join(', ')}` : issue.message
    mistakes.push(`${name} is ${got}, but ${expected}.`)
  }
  const { providers: oidcProviders, mistakes: ofProviders } = parseProviders(environment)
  mistakes.push(...ofProviders)
  for (const pair of pairs) {
    const [missing] = pair.filter((name) => !environment[name])
    const [present] = pair.filter((name) => environment[name])
    if (missing === undefined || present === undefined) continue
    const is = environment[missing] === '' ? 'is empty' : 'is not set'
    mistakes.push(`${missing} ${is}, but ${present} is set: set both, or neither.`)
  }
  if (environment.STOWAGE_PROXY_SIGN_IN_HEADER && !environment.STOWAGE_TRUSTED_PROXIES) {
    mistakes.push('STOWAGE_PROXY_SIGN_IN_HEADER needs STOWAGE_TRUSTED_PROXIES: only a proxy named there is believed.')
  }
  const s3Names = settingNames.filter((name) => name.startsWith('STOWAGE_S3_') && environment[name])
  if (s3Names.length > 0 && !environment.STOWAGE_S3_BUCKET) {
    mistakes.push(`${s3Names.join(', ')} ${s3Names.length > 1 ? 'need' : 'needs'} STOWAGE_S3_BUCKET.`)
  }
  if (parsed.data?.STOWAGE_S3_DIRECT_DOWNLOADS && parsed.data.STOWAGE_BLOB_GRACE < directLinkLifetime) {
    mistakes.push(
      'STOWAGE_BLOB_GRACE must be 1m or more with STOWAGE_S3_DIRECT_DOWNLOADS: as long as a link works, the bytes must be there.',
    )
  }
  if (environment.STOWAGE_SIGN_UP === 'true' && environment.STOWAGE_PASSWORD_LOGIN === 'false') {
    mistakes.push(
      'STOWAGE_SIGN_UP makes accounts with a password, and STOWAGE_PASSWORD_LOGIN=false turns passwords off.',
    )
  }
  const pem = parsed.success && parsed.data.STOWAGE_TLS_CERT && parsed.data.STOWAGE_TLS_KEY
  if (pem && !belongTogether(parsed.data.STOWAGE_TLS_CERT, parsed.data.STOWAGE_TLS_KEY)) {
    mistakes.push('STOWAGE_TLS_CERT and STOWAGE_TLS_KEY must hold a certificate and its own private key, as PEM.')
  }
  if (!parsed.success || mistakes.length > 0) throw new SettingsError(mistakes)

  const values = parsed.data
  const { STOWAGE_TLS_CERT: cert, STOWAGE_TLS_KEY: key } = values
  return {
    listen: values.STOWAGE_LISTEN,
    workers: values.STOWAGE_WORKERS,
    publicUrl: values.STOWAGE_PUBLIC_URL,
    databaseUrl: values.STOWAGE_DATABASE_URL,
    databaseConnections: values.STOWAGE_DATABASE_CONNECTIONS,
    s3: s3Settings(values),
    linkLifetime: values.STOWAGE_S3_DIRECT_DOWNLOADS ? directLinkLifetime : undefined,
    dataDir: values.STOWAGE_DATA_DIR,
    adminUsername: values.STOWAGE_ADMIN_USERNAME,
    adminPassword: values.STOWAGE_ADMIN_PASSWORD,
    maxFileSize: values.STOWAGE_LIMIT_FILE_SIZE,
    blobGrace: values.STOWAGE_BLOB_GRACE,
    auditRetention: values.STOWAGE_AUDIT_RETENTION,
    trustedProxies: values.STOWAGE_TRUSTED_PROXIES,
    queryTokens: values.STOWAGE_QUERY_TOKENS,
    requireSignIn: values.STOWAGE_REQUIRE_SIGN_IN,
    signUp: values.STOWAGE_SIGN_UP,
    passwordLogin: values.STOWAGE_PASSWORD_LOGIN,
    proxySignInHeader: values.STOWAGE_PROXY_SIGN_IN_HEADER,
    corsOrigins: values.STOWAGE_CORS_ORIGINS,
    secretKey: values.STOWAGE_SECRET_KEY,
    sessionIdle: values.STOWAGE_SESSION_IDLE,
    sessionLifetime: values.STOWAGE_SESSION_LIFETIME,
    smtpUrl: values.STOWAGE_SMTP_URL,
    mailFrom: values.STOWAGE_MAIL_FROM,
    webhookAllowedHosts: values.STOWAGE_WEBHOOK_ALLOWED_HOSTS,
    publishers: values.STOWAGE_OIDC_PUBLISHERS,
    oidcProviders,
    metricsToken: values.STOWAGE_METRICS_TOKEN,
    metricsAddresses: values.STOWAGE_METRICS_ALLOWED_ADDRESSES,
    logFormat: values.STOWAGE_LOG_FORMAT,
    logLevel: values.STOWAGE_LOG_LEVEL,
    tls: cert && key ? { cert, key } : undefined,
    shown: shownSettings(environment, values),
  }
}

/** An address may carry a password where none belongs. */
function withoutUserinfo(text: string): string {
  return text.replace(/\/\/.*@/s, '//[secret]@')
}

function belongTogether(cert: string | undefined, key: string | undefined): boolean {
  try {
    createSecureContext({ cert, key })
    return true
  } catch {
    return false
  }
}

function suggestion(name: string): string {
  if (/^STOWAGE_OIDC_(?!PUB)/i.test(name)) {
    const all = providerKeys.map((key) => `STOWAGE_OIDC_<NAME>_${key}`).join(', ')
    return `Of an OpenID provider there are ${all}; <NAME> is capital letters and digits.`
  }
  const upper = name.toUpperCase()
  const near = Object.keys(variables).find((known) => known === upper || distance(known, upper) <= 3)
  return near ? `Did you mean ${near}?` : `The settings are ${Object.keys(variables).join(', ')}.`
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced))
    }
    row = next
  }
  return row[b.length] ?? 0
}
