import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { readSettings, SettingsError, settingNames } from './config.ts'
import { providerMeanings } from './oidc-settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'stowage-settings-'))
const tls = join(import.meta.dir, '../test/support/tls')
const [certificate, key] = [join(tls, 'cert.pem'), join(tls, 'key.pem')]
afterAll(() => rmSync(folder, { recursive: true }))

function mistakesIn(environment: Record<string, string | undefined>): readonly string[] {
  try {
    readSettings(environment)
  } catch (error) {
    if (error instanceof SettingsError) return error.mistakes
    throw error
  }
  return []
}

test('everything has a default', () => {
  expect(readSettings({})).toEqual({
    listen: { host: '127.0.0.1', port: 3000 },
    workers: 1,
    publicUrl: undefined,
    databaseUrl: undefined,
    databaseConnections: 20,
    s3: undefined,
    linkLifetime: undefined,
    dataDir: resolve('data'),
    adminUsername: 'admin',
    adminPassword: undefined,
    maxFileSize: Number.POSITIVE_INFINITY,
    blobGrace: 3_600_000,
    auditRetention: 365 * 86_400_000,
    trustedProxies: expect.any(Function),
    queryTokens: false,
    requireSignIn: false,
    signUp: false,
    passwordLogin: true,
    proxySignInHeader: undefined,
    corsOrigins: [],
    secretKey: undefined,
    sessionIdle: 7 * 86_400_000,
    sessionLifetime: 30 * 86_400_000,
    smtpUrl: undefined,
    mailFrom: undefined,
    webhookAllowedHosts: { names: new Set(), suffixes: [], ranges: [] },
    publishers: [],
    oidcProviders: [],
    metricsToken: undefined,
    metricsAddresses: undefined,
    logFormat: undefined,
    logLevel: 'info',
    tls: undefined,
    shown: expect.any(Array),
  })
  expect(readSettings({}).trustedProxies(ipaddr.parse('127.0.0.1'))).toBe(false)
})

describe('a variable that can be read', () => {
  test.each<[string, string, Record<string, unknown>]>([
    ['STOWAGE_LISTEN', '0.0.0.0:80', { listen: { host: '0.0.0.0', port: 80 } }],
    ['STOWAGE_LISTEN', 'localhost:0', { listen: { host: 'localhost', port: 0 } }],
    ['STOWAGE_LISTEN', '[::]:65535', { listen: { host: '::', port: 65_535 } }],
    ['STOWAGE_PUBLIC_URL', 'https://packages.example.com', { publicUrl: new URL('https://packages.example.com') }],
    ['STOWAGE_PUBLIC_URL', 'http://example.com:81/a/b//', { publicUrl: new URL('http://example.com:81/a/b') }],
    ['STOWAGE_PUBLIC_URL', 'https://example.com/~a/b-c.d_e', { publicUrl: new URL('https://example.com/~a/b-c.d_e') }],
    ['STOWAGE_DATABASE_URL', 'postgres://db.example.com/stowage', { databaseUrl: 'postgres://db.example.com/stowage' }],
    ['STOWAGE_DATABASE_URL', 'postgresql://a:b@[::1]:5433/x', { databaseUrl: 'postgresql://a:b@[::1]:5433/x' }],
    ['STOWAGE_DATABASE_URL', 'postgres:///x?host=/run/pg', { databaseUrl: 'postgres:///x?host=/run/pg' }],
    ['STOWAGE_WORKERS', '1', { workers: 1 }],
    ['STOWAGE_WORKERS', '64', { workers: 64 }],
    ['STOWAGE_DATABASE_CONNECTIONS', '2', { databaseConnections: 2 }],
    ['STOWAGE_DATABASE_CONNECTIONS', '200', { databaseConnections: 200 }],
    ['STOWAGE_DATA_DIR', '/var/lib/stowage', { dataDir: '/var/lib/stowage' }],
    ['STOWAGE_DATA_DIR', 'here', { dataDir: resolve('here') }],
    ['STOWAGE_ADMIN_USERNAME', 'Ada.L', { adminUsername: 'Ada.L' }],
    ['STOWAGE_ADMIN_PASSWORD', '12345678', { adminPassword: '12345678' }],
    ['STOWAGE_LIMIT_FILE_SIZE', '10GiB', { maxFileSize: 10 * 1024 ** 3 }],
    ['STOWAGE_LIMIT_FILE_SIZE', '500 MB', { maxFileSize: 500_000_000 }],
    ['STOWAGE_LIMIT_FILE_SIZE', '123', { maxFileSize: 123 }],
    ['STOWAGE_LIMIT_FILE_SIZE', 'unlimited', { maxFileSize: Number.POSITIVE_INFINITY }],
    ['STOWAGE_BLOB_GRACE', '0', { blobGrace: 0 }],
    ['STOWAGE_BLOB_GRACE', '30s', { blobGrace: 30_000 }],
    ['STOWAGE_AUDIT_RETENTION', '90d', { auditRetention: 90 * 86_400_000 }],
    ['STOWAGE_AUDIT_RETENTION', 'forever', { auditRetention: Number.POSITIVE_INFINITY }],
    ['STOWAGE_QUERY_TOKENS', 'true', { queryTokens: true }],
    ['STOWAGE_QUERY_TOKENS', 'false', { queryTokens: false }],
    ['STOWAGE_REQUIRE_SIGN_IN', 'true', { requireSignIn: true }],
    ['STOWAGE_SIGN_UP', 'true', { signUp: true }],
    ['STOWAGE_PASSWORD_LOGIN', 'false', { passwordLogin: false }],
    ['STOWAGE_SESSION_IDLE', '5m', { sessionIdle: 5 * 60_000 }],
    ['STOWAGE_SESSION_LIFETIME', '3650d', { sessionLifetime: 3650 * 86_400_000 }],
    ['STOWAGE_METRICS_TOKEN', 'sixteen/letters=', { metricsToken: 'sixteen/letters=' }],
    ['STOWAGE_LOG_FORMAT', 'pretty', { logFormat: 'pretty' }],
    ['STOWAGE_LOG_FORMAT', 'json', { logFormat: 'json' }],
    ['STOWAGE_LOG_LEVEL', 'debug', { logLevel: 'debug' }],
    ['STOWAGE_LOG_LEVEL', 'warn', { logLevel: 'warn' }],
  ])('%s=%s', (name, text, expected) => {
    expect(readSettings({ [name]: text })).toMatchObject(expected)
  })

  test('STOWAGE_TRUSTED_PROXIES', () => {
    const { trustedProxies } = readSettings({ STOWAGE_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' })
    expect(trustedProxies(ipaddr.parse('10.1.2.3'))).toBe(true)
    expect(trustedProxies(ipaddr.parse('192.0.2.1'))).toBe(false)
  })

  test('STOWAGE_METRICS_ALLOWED_ADDRESSES', () => {
    const { metricsAddresses } = readSettings({ STOWAGE_METRICS_ALLOWED_ADDRESSES: '192.0.2.0/24' })
    expect(metricsAddresses?.(ipaddr.parse('192.0.2.9'))).toBe(true)
    expect(metricsAddresses?.(ipaddr.parse('192.0.3.9'))).toBe(false)
    expect(mistakesIn({ STOWAGE_METRICS_ALLOWED_ADDRESSES: 'monitoring' })).toHaveLength(1)
  })

  test('STOWAGE_METRICS_TOKEN is long, and never shown', () => {
    for (const wrong of ['fifteen-letters', 'with a space in between', 'ääääääääääääääää']) {
      const [mistake] = mistakesIn({ STOWAGE_METRICS_TOKEN: wrong })
      expect(mistake).toContain('STOWAGE_METRICS_TOKEN is [secret], but must have at least 16 characters')
    }
  })

  test('STOWAGE_PROXY_SIGN_IN_HEADER, in any letter case, beside the proxies that are believed', () => {
    const trusted = { STOWAGE_TRUSTED_PROXIES: 'loopback' }
    const header = 'STOWAGE_PROXY_SIGN_IN_HEADER'
    expect(readSettings({ ...trusted, [header]: 'X-Remote-User' }).proxySignInHeader).toBe('x-remote-user')
    expect(readSettings({ ...trusted, [header]: 'X-Forwarded-User' }).proxySignInHeader).toBe('x-forwarded-user')
    expect(mistakesIn({ [header]: 'X-Remote-User' })).toHaveLength(1)
    for (const wrong of ['X Remote', 'X-Remote-User:', 'Cookie', 'authorization', 'Host', 'X-Forwarded-For', 'ä']) {
      expect(mistakesIn({ ...trusted, [header]: wrong })[0]).toContain('must be the name of a header')
    }
  })

  test('STOWAGE_SIGN_UP is of no use without passwords', () => {
    expect(mistakesIn({ STOWAGE_SIGN_UP: 'true', STOWAGE_PASSWORD_LOGIN: 'false' })).toHaveLength(1)
  })

  test('STOWAGE_TLS_CERT and STOWAGE_TLS_KEY are read from their files', () => {
    expect(readSettings({ STOWAGE_TLS_CERT: certificate, STOWAGE_TLS_KEY: key }).tls).toEqual({
      cert: readFileSync(certificate, 'utf8'),
      key: readFileSync(key, 'utf8'),
    })
  })

  test('STOWAGE_TLS_CERT and STOWAGE_TLS_KEY belong together', () => {
    const together = 'STOWAGE_TLS_CERT and STOWAGE_TLS_KEY must hold a certificate and its own private key, as PEM.'
    expect(mistakesIn({ STOWAGE_TLS_CERT: certificate, STOWAGE_TLS_KEY: certificate })).toEqual([together])
    expect(mistakesIn({ STOWAGE_TLS_CERT: import.meta.path, STOWAGE_TLS_KEY: key })).toEqual([together])
  })
})

describe('a variable that cannot be read', () => {
  const cases: [string, string[], string][] = [
    [
      'STOWAGE_LISTEN',
      ['3000', ':3000', 'localhost', 'localhost:65536', 'localhost:-1', '::1:3000', 'http://a:1', 'a b:1'],
      'must be host:port',
    ],
    [
      'STOWAGE_PUBLIC_URL',
      [
        'example.com',
        'ftp://example.com',
        'https://example.com?a',
        'https://example.com#a',
        'https://example.com/%zz',
        'https://example.com/%ff',
        'https://',
      ],
      'must be an http or https address',
    ],
    ['STOWAGE_WORKERS', ['0', '65', '-1', 'auto', '1.5', ' 2'], 'must be a number of processes from 1 to 64'],
    ['STOWAGE_DATABASE_CONNECTIONS', ['1', '0', '-4', 'many', '2.5', '10000'], 'must be a number from 2 to 9999'],
    ['STOWAGE_DATA_DIR', [' '], 'must be a folder'],
    ['STOWAGE_ADMIN_USERNAME', ['-ada', 'a b', 'api', 'x'.repeat(41), 'ada.png'], 'must be a user name'],
    ['STOWAGE_LIMIT_FILE_SIZE', ['10G', '-1', 'big', '1 PB', 'Unlimited '], 'must be a size'],
    ['STOWAGE_BLOB_GRACE', ['1', '1 week', '-1h', 'unlimited'], 'must be a duration'],
    ['STOWAGE_AUDIT_RETENTION', ['0', '23h', '1 year', 'never'], 'must be a duration from 1d'],
    ['STOWAGE_TRUSTED_PROXIES', ['10.0.0.0/33', 'proxy.example.com', '127.0.0.1,x'], 'must be addresses or ranges'],
    ['STOWAGE_QUERY_TOKENS', ['yes', '1', 'TRUE'], 'must be one of true, false'],
    ['STOWAGE_REQUIRE_SIGN_IN', ['yes', '1'], 'must be one of true, false'],
    ['STOWAGE_SIGN_UP', ['yes', '1'], 'must be one of true, false'],
    ['STOWAGE_PASSWORD_LOGIN', ['no', '0'], 'must be one of true, false'],
    ['STOWAGE_SESSION_IDLE', ['0', '299s', '7', '3651d', 'never'], 'must be a duration from 5m to 3650d'],
    ['STOWAGE_SESSION_LIFETIME', ['0', '1ms', '3651d'], 'must be a duration from 5m to 3650d'],
    ['STOWAGE_LOG_FORMAT', ['text', 'JSON'], 'must be one of pretty, json'],
    ['STOWAGE_LOG_LEVEL', ['verbose', 'INFO'], 'must be one of debug, info, warn, error, silent'],
  ]

  test.each(cases.flatMap(([name, texts, expected]) => texts.map((text) => [name, text, expected] as const)))(
    '%s=%p',
    (name, text, expected) => {
      const mistakes = mistakesIn({ [name]: text })
      expect(mistakes).toHaveLength(1)
      expect(mistakes[0]).toStartWith(`${name} is ${JSON.stringify(text)}, but ${expected}`)
    },
  )

  test('a password that is too short or too long is named, and not shown', () => {
    for (const password of ['1234567', 'x'.repeat(257)]) {
      const mistakes = mistakesIn({ STOWAGE_ADMIN_PASSWORD: password })
      expect(mistakes).toHaveLength(1)
      expect(mistakes[0]).toStartWith('STOWAGE_ADMIN_PASSWORD is [secret], but must have at ')
    }
  })

  test.each(['db.example.com', 'mysql://a@b/c', 'postgres://db.example.com', 'postgres:///x', 'postgres://a b/c'])(
    'STOWAGE_DATABASE_URL=%p, which is not shown, since it may hold a password',
    (text) => {
      expect(mistakesIn({ STOWAGE_DATABASE_URL: text })).toEqual([
        expect.stringMatching(/^STOWAGE_DATABASE_URL is \[secret\], but must be the address of a PostgreSQL database/),
      ])
    },
  )

  const pairs: [Record<string, string>, string][] = [
    [{ STOWAGE_TLS_CERT: certificate }, 'STOWAGE_TLS_KEY is not set, but STOWAGE_TLS_CERT is set'],
    [{ STOWAGE_TLS_CERT: '', STOWAGE_TLS_KEY: key }, 'STOWAGE_TLS_CERT is empty, but STOWAGE_TLS_KEY is set'],
    [{ STOWAGE_SMTP_URL: 'smtp://localhost' }, 'STOWAGE_MAIL_FROM is not set, but STOWAGE_SMTP_URL is set'],
    [
      { STOWAGE_S3_BUCKET: 'files', STOWAGE_S3_ACCESS_KEY_ID: 'a', STOWAGE_S3_SECRET_ACCESS_KEY: '' },
      'STOWAGE_S3_SECRET_ACCESS_KEY is empty, but STOWAGE_S3_ACCESS_KEY_ID is set',
    ],
    [
      { STOWAGE_S3_BUCKET: 'files', STOWAGE_S3_SECRET_ACCESS_KEY: 'b' },
      'STOWAGE_S3_ACCESS_KEY_ID is not set, but STOWAGE_S3_SECRET_ACCESS_KEY is set',
    ],
  ]
  test.each(pairs)('one of two that go together: %j', (environment, expected) => {
    expect(mistakesIn(environment)).toEqual([`${expected}: set both, or neither.`])
  })

  test.each(['/nowhere/cert.pem', folder, 'a\0b'])('a certificate is not in %p', (path) => {
    const mistakes = mistakesIn({ STOWAGE_TLS_CERT: path, STOWAGE_TLS_KEY: key })
    expect(mistakes).toEqual([
      `STOWAGE_TLS_CERT is ${JSON.stringify(path)}, but must be the path of a readable PEM file.`,
    ])
  })
})

describe('an unknown variable', () => {
  test.each([
    ['STOWAGE_LISTNE', 'STOWAGE_LISTEN'],
    ['STOWAGE_DATADIR', 'STOWAGE_DATA_DIR'],
    ['stowage_data_dir', 'STOWAGE_DATA_DIR'],
    ['Stowage_Blob_Grace', 'STOWAGE_BLOB_GRACE'],
    ['STOWAGE_TRUSTED_PROXY', 'STOWAGE_TRUSTED_PROXIES'],
  ])('%s: did you mean %s?', (name, near) => {
    expect(mistakesIn({ [name]: 'x' })).toEqual([`${name} is "x", but there is no such setting. Did you mean ${near}?`])
  })

  test('that is like none gets the list', () => {
    const [mistake = ''] = mistakesIn({ STOWAGE_COLOUR_SCHEME: 'x' })
    expect(mistake).toStartWith(
      'STOWAGE_COLOUR_SCHEME is "x", but there is no such setting. The settings are STOWAGE_LISTEN, ',
    )
  })

  test('is not shown when its name sounds like a secret', () => {
    expect(mistakesIn({ STOWAGE_ADMIN_PASSWRD: 'hunter22' }).join()).not.toContain('hunter22')
    expect(mistakesIn({ STOWAGE_S3_SECRET: 'hunter22' }).join()).not.toContain('hunter22')
  })

  test('is a mistake also when it is empty', () => {
    expect(mistakesIn({ STOWAGE_LISTNE: '' })).toHaveLength(1)
  })
})

test.each([
  'STOWAGE_URL',
  'STOWAGE_TOKEN',
  'STOWAGE_PORT',
  'STOWAGE_PORT_3000_TCP_ADDR',
  'STOWAGE_SERVICE_HOST',
  'PATH',
  'MY_STOWAGE_X',
])('%s is left alone', (name) => {
  expect(mistakesIn({ [name]: 'tcp://10.0.0.1:3000' })).toEqual([])
})

describe('a bucket', () => {
  const bucket = { STOWAGE_S3_BUCKET: 'files' }

  test.each<[Record<string, string>, object]>([
    [
      {},
      {
        bucket: 'files',
        endpoint: undefined,
        region: 'us-east-1',
        prefix: '',
        credentials: undefined,
        pathStyle: false,
      },
    ],
    [{ STOWAGE_S3_ENDPOINT: 'http://127.0.0.1:7070/' }, { endpoint: 'http://127.0.0.1:7070', pathStyle: true }],
    [{ STOWAGE_S3_ENDPOINT: 'https://s3.example.com', STOWAGE_S3_PATH_STYLE: 'false' }, { pathStyle: false }],
    [{ STOWAGE_S3_PREFIX: 'a/b-c.d' }, { prefix: 'a/b-c.d/' }],
    [{ STOWAGE_S3_PREFIX: 'a/' }, { prefix: 'a/' }],
    [{ STOWAGE_S3_REGION: 'eu-central-1' }, { region: 'eu-central-1' }],
    [{ AWS_DEFAULT_REGION: 'eu-west-1' }, { region: 'eu-west-1' }],
    [{ AWS_REGION: 'eu-west-2', AWS_DEFAULT_REGION: 'eu-west-1' }, { region: 'eu-west-2' }],
    [{ STOWAGE_S3_REGION: 'auto', AWS_REGION: 'eu-west-2' }, { region: 'auto' }],
    [
      { STOWAGE_S3_ACCESS_KEY_ID: 'a', STOWAGE_S3_SECRET_ACCESS_KEY: 'b/c+d' },
      { credentials: { accessKeyId: 'a', secretAccessKey: 'b/c+d' } },
    ],
  ])('with %j', (others, expected) => {
    expect(readSettings({ ...bucket, ...others }).s3).toMatchObject(expected)
  })

  test.each([
    ['STOWAGE_S3_BUCKET', 'UPPER'],
    ['STOWAGE_S3_BUCKET', 'a/b'],
    ['STOWAGE_S3_ENDPOINT', 's3.example.com'],
    ['STOWAGE_S3_ENDPOINT', 'https://a:b@s3.example.com'],
    ['STOWAGE_S3_ENDPOINT', 'ftp://s3.example.com'],
    ['STOWAGE_S3_REGION', 'a b'],
    ['AWS_REGION', 'a b'],
    ['STOWAGE_S3_PREFIX', '/a'],
    ['STOWAGE_S3_PREFIX', 'a//b'],
    ['STOWAGE_S3_PREFIX', '../a'],
    ['STOWAGE_S3_PREFIX', '.probe'],
    ['STOWAGE_S3_PREFIX', 'ä'],
    ['STOWAGE_S3_PATH_STYLE', 'yes'],
  ])('is refused with %s=%s', (name, text) => {
    expect(mistakesIn({ ...bucket, [name]: text })).toEqual([expect.stringContaining(name)])
  })

  test('is needed by everything of S3', () => {
    expect(mistakesIn({ STOWAGE_S3_REGION: 'a', STOWAGE_S3_PREFIX: 'b' })).toEqual([
      'STOWAGE_S3_REGION, STOWAGE_S3_PREFIX need STOWAGE_S3_BUCKET.',
    ])
    expect(mistakesIn({ STOWAGE_S3_PATH_STYLE: 'true' })).toEqual(['STOWAGE_S3_PATH_STYLE needs STOWAGE_S3_BUCKET.'])
    expect(mistakesIn({ STOWAGE_S3_DIRECT_DOWNLOADS: 'true' })).toEqual([
      'STOWAGE_S3_DIRECT_DOWNLOADS needs STOWAGE_S3_BUCKET.',
    ])
  })

  test('that downloads are redirected to keeps bytes for as long as a link works', () => {
    const direct = { ...bucket, STOWAGE_S3_DIRECT_DOWNLOADS: 'true' }
    expect(readSettings(bucket).linkLifetime).toBeUndefined()
    expect(readSettings(direct)).toMatchObject({ linkLifetime: 60_000, blobGrace: 3_600_000 })
    expect(readSettings({ ...direct, STOWAGE_BLOB_GRACE: '60s' }).blobGrace).toBe(60_000)
    expect(mistakesIn({ ...direct, STOWAGE_BLOB_GRACE: '59s' })).toEqual([
      'STOWAGE_BLOB_GRACE must be 1m or more with STOWAGE_S3_DIRECT_DOWNLOADS: as long as a link works, the bytes must be there.',
    ])
    expect(readSettings({ ...bucket, STOWAGE_BLOB_GRACE: '0' }).blobGrace).toBe(0)
  })
})

test('an empty variable is one that is not set', () => {
  const empty = Object.fromEntries(
    ['LISTEN', 'PUBLIC_URL', 'DATA_DIR', 'ADMIN_USERNAME', 'ADMIN_PASSWORD', 'LIMIT_FILE_SIZE', 'BLOB_GRACE']
      .concat(['TRUSTED_PROXIES', 'QUERY_TOKENS', 'LOG_FORMAT', 'LOG_LEVEL', 'TLS_CERT', 'TLS_KEY'])
      .map((name) => [`STOWAGE_${name}`, '']),
  )
  const shown = (settings: object) => JSON.stringify(settings)
  expect(shown(readSettings(empty))).toBe(shown(readSettings({})))
})

test('all mistakes are told in one message, a line each', () => {
  const environment = {
    STOWAGE_LISTEN: 'nowhere',
    STOWAGE_BLOB_GRACE: 'soon',
    STOWAGE_LOG_LEVEL: 'loud',
    STOWAGE_COLOUR: 'blue',
    STOWAGE_TLS_CERT: certificate,
  }
  expect(() => readSettings(environment)).toThrow(SettingsError)
  const mistakes = mistakesIn(environment)
  expect(mistakes).toHaveLength(5)
  const { message } = new SettingsError(mistakes)
  for (const name of ['LISTEN', 'BLOB_GRACE', 'LOG_LEVEL', 'COLOUR', 'TLS_KEY'])
    expect(message).toContain(`STOWAGE_${name}`)
  expect(message.split('\n')).toHaveLength(6)
})

describe('a secret is never in the message', () => {
  test.each<[string, Record<string, string>]>([
    ['a short password', { STOWAGE_ADMIN_PASSWORD: 'hunter2' }],
    ['a password, and another mistake', { STOWAGE_ADMIN_PASSWORD: 'hunter2!!', STOWAGE_LISTEN: 'x' }],
    ['a password under a name that does not exist', { STOWAGE_ADMIN_PASSWROD: 'hunter2!!' }],
    ['a key in the place of its path', { STOWAGE_TLS_KEY: '--PRIVATE-- hunter2', STOWAGE_TLS_CERT: certificate }],
    ['a password in an address of a database', { STOWAGE_DATABASE_URL: 'mysql://ada:hunter2@db.example.com/x' }],
    ['a password in an address without a database', { STOWAGE_DATABASE_URL: 'postgres://ada:hunter2@db' }],
    ['a password in the public address', { STOWAGE_PUBLIC_URL: 'https://ada:hunter2@example.com' }],
    ['a password with signs in the public address', { STOWAGE_PUBLIC_URL: 'https://ada:a/hunter2@b@example.com' }],
  ])('%s', (_, environment) => {
    const mistakes = mistakesIn(environment)
    expect(mistakes).not.toEqual([])
    expect(mistakes.join('\n')).not.toContain('hunter2')
  })
})

test('whatever the environment holds, it is read or refused with a SettingsError', () => {
  const name = fc.oneof(
    fc
      .constantFrom(
        'LISTEN',
        'PUBLIC_URL',
        'DATABASE_URL',
        'DATA_DIR',
        'ADMIN_USERNAME',
        'ADMIN_PASSWORD',
        'LIMIT_FILE_SIZE',
      )
      .map((rest) => `STOWAGE_${rest}`),
    fc
      .constantFrom('BLOB_GRACE', 'TRUSTED_PROXIES', 'QUERY_TOKENS', 'LOG_FORMAT', 'LOG_LEVEL', 'TLS_CERT', 'TLS_KEY')
      .map((rest) => `STOWAGE_${rest}`),
    fc.string({ maxLength: 12 }).map((rest) => `STOWAGE_${rest}`),
    fc.constantFrom('__proto__', 'constructor', 'STOWAGE_'),
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc.ipV6().map((address) => `[${address}]:1`),
    fc.constantFrom('true', '1h', '10GiB', 'json', '', undefined),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(name, text), { maxLength: 6 }), (entries) => {
      try {
        readSettings(Object.fromEntries(entries))
      } catch (error) {
        expect(error).toBeInstanceOf(SettingsError)
      }
    }),
    { numRuns: 500 },
  )
})

test('docs/examples set nothing that is not there', () => {
  const folder = join(import.meta.dir, '../docs/examples')
  const known = new Set<string>(settingNames)
  for (const { name: file } of readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile())) {
    const names = readFileSync(join(folder, file), 'utf8').match(/STOWAGE_[A-Z0-9_]+/g) ?? []
    expect([file, ...names.filter((name) => !known.has(name))]).toEqual([file])
  }
  const lines = readFileSync(join(folder, 'stowage.env'), 'utf8').split('\n')
  const given = lines.filter((line) => /^\w+=/.test(line)).map((line) => line.split('=', 2) as [string, string])
  const filledIn = given.map(([name, value]) => [name, value || 'of-somebody-who-has-filled-it-in-0123456789'])
  expect(mistakesIn(Object.fromEntries(filledIn))).toEqual([])
})

test('the README names every setting', () => {
  const [mistake = ''] = mistakesIn({ STOWAGE_SOMETHING_QUITE_DIFFERENT: '1' })
  const names = mistake.match(/STOWAGE_[A-Z0-9_]+/g)?.slice(1) ?? []
  expect(names.length).toBeGreaterThan(20)
  const readme = readFileSync(join(import.meta.dir, '../README.md'), 'utf8')
  expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
})

describe('the issuers of ID tokens', () => {
  test('are asked by https, or on this machine', () => {
    const { publishers } = readSettings({ STOWAGE_OIDC_PUBLISHERS: 'github, http://127.0.0.1:9000' })
    expect(publishers.map(({ url }) => url)).toEqual([
      'https://token.actions.githubusercontent.com',
      'http://127.0.0.1:9000',
    ])
    const [mistake = '', ...others] = mistakesIn({ STOWAGE_OIDC_PUBLISHERS: 'gitlab=http://ada:hidden@ci.example.com' })
    expect(mistake).toStartWith(
      'STOWAGE_OIDC_PUBLISHERS is "gitlab=http://[secret]@ci.example.com", but must be issuers',
    )
    expect(mistake).toContain('with https addresses, or http on this machine: github')
    expect(others).toEqual([])
  })
})

describe('an OpenID provider', () => {
  const settings = { STOWAGE_OIDC_CORP_ISSUER: 'https://id.example.com', STOWAGE_OIDC_CORP_CLIENT_ID: 'stowage' }

  test('is there under its name, and its secret is shown to nobody', () => {
    const secret = { STOWAGE_OIDC_CORP_CLIENT_SECRET: 'not-to-be-seen' }
    const read = readSettings({ ...settings, ...secret })
    expect(read.oidcProviders).toMatchObject([{ name: 'corp', issuer: 'https://id.example.com' }])
    const shown = read.shown.filter(({ name }) => name.startsWith('STOWAGE_OIDC_CORP_'))
    expect(shown.map(({ name, value, isSecret }) => [name, value, isSecret])).toEqual([
      ['STOWAGE_OIDC_CORP_CLIENT_ID', 'stowage', false],
      ['STOWAGE_OIDC_CORP_CLIENT_SECRET', 'set', true],
      ['STOWAGE_OIDC_CORP_ISSUER', 'https://id.example.com', false],
    ])
    expect(JSON.stringify(read.shown)).not.toContain('not-to-be-seen')
  })

  test('is told what its settings are called', () => {
    const [mistake = ''] = mistakesIn({ ...settings, STOWAGE_OIDC_CORP_CLIENTSECRET: 'not-to-be-seen' })
    expect(mistake).toStartWith('STOWAGE_OIDC_CORP_CLIENTSECRET is [secret], but there is no such setting.')
    expect(mistake).toContain('STOWAGE_OIDC_<NAME>_CLIENT_SECRET')
    expect(mistakesIn({ STOWAGE_OIDC_CORP_CLIENT_ID: 'stowage' })).toEqual([
      'STOWAGE_OIDC_CORP_ISSUER is not set, but other settings of the provider CORP are.',
    ])
  })

  test('is explained as the README explains it', () => {
    const readme = readFileSync(join(import.meta.dir, '../README.md'), 'utf8').replaceAll(
      / \(\[[^\]]*\]\([^)]*\)\)/g,
      '',
    )
    for (const [key, meaning] of Object.entries(providerMeanings)) {
      expect(readme).toMatch(new RegExp(`\\| \`STOWAGE_OIDC_<NAME>_${key}\` \\|[^|]*\\| ${RegExp.escape(meaning)} \\|`))
    }
  })
})

describe('what an administrator is shown', () => {
  const shownOf = (environment: Record<string, string>) =>
    Object.fromEntries(readSettings(environment).shown.map((setting) => [setting.name, setting]))

  test('is every setting, as it is in force', () => {
    expect(readSettings({}).shown.map(({ name }) => name)).toEqual(settingNames)
    expect(readSettings({}).shown.filter(({ isSet }) => isSet)).toEqual([])
    const settings = {
      STOWAGE_LIMIT_FILE_SIZE: '1.5GiB',
      STOWAGE_BLOB_GRACE: '90m',
      STOWAGE_AUDIT_RETENTION: '1d',
      STOWAGE_SIGN_UP: 'true',
      STOWAGE_DATA_DIR: 'here',
      STOWAGE_TRUSTED_PROXIES: '10.0.0.0/8',
    }
    const shown = shownOf(settings)
    expect(Object.keys(settings).map((name) => [shown[name]?.value, shown[name]?.isSet])).toEqual([
      ['1.5 GiB', true],
      ['90 minutes', true],
      ['1 day', true],
      ['yes', true],
      [resolve('here'), true],
      ['10.0.0.0/8', true],
    ])
    const usual = shownOf({})
    expect(
      ['LISTEN', 'LIMIT_FILE_SIZE', 'SESSION_IDLE', 'PASSWORD_LOGIN', 'CORS_ORIGINS', 'DATABASE_CONNECTIONS'].map(
        (name) => usual[`STOWAGE_${name}`]?.value,
      ),
    ).toEqual(['127.0.0.1:3000', 'unlimited', '7 days', 'yes', 'none', '20'])
  })

  // Every secret, so that one that is added is looked at here.
  const secretValues: Record<string, string> = {
    STOWAGE_ADMIN_PASSWORD: 'not-to-be-seen',
    STOWAGE_DATABASE_URL: 'postgres://not-to-be-seen:not-to-be-seen@db.example.com:5433/stowage',
    STOWAGE_SECRET_KEY: 'not-to-be-seen'.repeat(3),
    STOWAGE_SMTP_URL: 'smtps://not-to-be-seen:not-to-be-seen@mail.example.com',
    STOWAGE_METRICS_TOKEN: 'not-to-be-seen-x',
    STOWAGE_S3_ACCESS_KEY_ID: 'not-to-be-seen',
    STOWAGE_S3_SECRET_ACCESS_KEY: 'not-to-be-seen',
    STOWAGE_TLS_KEY: key,
  }

  test('is no secret', () => {
    const others = { STOWAGE_MAIL_FROM: 'a@example.com', STOWAGE_TLS_CERT: certificate, STOWAGE_S3_BUCKET: 'files' }
    const shown = shownOf({ ...secretValues, ...others })
    const texts = JSON.stringify(shown)
    expect(texts).not.toContain('not-to-be-seen')
    expect(texts).not.toContain(key)
    expect(texts).not.toContain('PRIVATE KEY')
    expect(shown.STOWAGE_DATABASE_URL?.value).toBe('set: db.example.com:5433/stowage')
    const secret = settingNames.filter((name) => shown[name]?.isSecret)
    expect(secret.toSorted()).toEqual(Object.keys(secretValues).toSorted() as typeof secret)
    for (const name of secret) expect(shown[name]).toMatchObject({ isSet: true, value: expect.stringMatching(/^set/) })
  })

  test.each([
    'postgres://stowage:12/not-to-be-seen@db.example.com/stowage',
    'postgres://not-to-be-seen@db.example.com/stowage?password=not-to-be-seen',
    'postgres://db.example.com/stowage?user=a&password=not-to-be-seen',
    'postgres://db.example.com/stowage#not-to-be-seen',
    'postgres:///stowage?host=not-to-be-seen',
    'postgres://a:not%2Dto-be-seen@db.example.com/x',
  ])('is nothing of %s but where the database is', (text) => {
    const value = shownOf({ STOWAGE_DATABASE_URL: text }).STOWAGE_DATABASE_URL?.value
    expect(value).toStartWith('set')
    expect(value).not.toMatch(/to-be-seen/)
  })

  test.each(settingNames)('%s shows no password where none belongs', (name) => {
    for (const text of ['https://ada:not-to-be-seen@example.com', 'x//ada:not-to-be-seen@example.com/y']) {
      if (mistakesIn({ [name]: text }).length > 0) continue
      const shown = shownOf({ [name]: text })[name]
      // A folder may have any name.
      if (name !== 'STOWAGE_DATA_DIR') expect(shown?.value).not.toContain('not-to-be-seen')
    }
  })

  test('is explained as the README explains it', () => {
    const readme = readFileSync(join(import.meta.dir, '../README.md'), 'utf8')
    const rows = readme.split('\n').flatMap((line) => {
      const [, variables = '', , meaning = ''] = line.split('|').map((cell) => cell.trim())
      const plain = meaning.replaceAll(/ \(\[[^\]]*\]\([^)]*\)\)/g, '')
      return (variables.match(/STOWAGE_[A-Z0-9_]+/g) ?? []).map((name) => [name, plain] as const)
    })
    const meanings = Object.fromEntries(rows)
    for (const { name, meaning } of readSettings({}).shown)
      expect([name, meaning]).toEqual([name, meanings[name] ?? ''])
  })
})
