import { describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import type { JWK } from 'jose'
import { CiIssuer, job, newKey } from '../support/ci-issuer.ts'
import { blobFiles } from '../support/inventory.ts'
import { SlowUpload } from '../support/slow-upload.ts'
import { basic, type Client, type StartOptions, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const idToken = 'urn:ietf:params:oauth:token-type:id_token'

/** A registry that trusts a CI system whose tokens are like GitHub's, and a clock that a test can turn. */
async function trusting(ci: CiIssuer, { settings, replace, ...options }: StartOptions = {}) {
  const clock = { ahead: 0 }
  const stowage = await startStowage({
    ...options,
    settings: { STOWAGE_OIDC_PUBLISHERS: `github=${ci.url}`, ...settings },
    replace: { now: () => Date.now() + clock.ahead, ...replace },
  })
  return Object.assign(stowage, { clock })
}

const rule = { repository_id: '74' }

async function trust(who: Client, ci: CiIssuer, fields: Record<string, unknown> = {}): Promise<{ id: number }> {
  const body = { name: `rule-${Math.random()}`, issuer: ci.url, claims: rule, packages: ['tool-*'], ...fields }
  const response = await who.post(`/api/v1/owners/${who.name}/publishers`, body)
  expect({ status: response.status, text: response.ok ? '' : await response.text() }).toEqual({ status: 201, text: '' })
  return (await response.json()) as { id: number }
}

function exchange(stowage: TestStowage, token: string, more: Record<string, string> = {}): Promise<Response> {
  const sent = { grant_type: tokenExchange, subject_token: token, subject_token_type: idToken, ...more }
  return stowage.anonymous.fetch('/api/v1/oidc/token', { method: 'POST', body: new URLSearchParams(sent) })
}

/** What a job calls with once it has exchanged its token. */
async function jobOf(stowage: TestStowage, ci: CiIssuer, claims: object = job, more = {}) {
  const response = await exchange(stowage, await ci.sign(stowage.url, { ...claims }), more)
  const answer = (await response.json()) as { access_token: string }
  expect({ status: response.status, ...answer }).toMatchObject({ status: 200 })
  const secret = answer.access_token
  return Object.assign(stowage.anonymous.with({ Authorization: `Bearer ${secret}` }), { secret })
}

/** Why it was refused. */
async function refusal(response: Response): Promise<string> {
  const { error, error_description } = (await response.json()) as Record<string, string>
  return `${response.status} ${error}: ${error_description}`
}

test('a job publishes with its ID token alone, and what it was is shown with what it published', async () => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci)
  const ada = await stowage.user('ada')
  const { id } = await trust(ada, ci, { name: 'octo/tool', claims: { ...rule, ref: 'refs/heads/*' } })

  const response = await exchange(stowage, await ci.sign(stowage.url, { ...job, user_email: 'ada@example.com' }))
  expect(response.status).toBe(200)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('pragma')).toBe('no-cache')
  const answer = (await response.json()) as Record<string, unknown>
  expect(answer).toEqual({
    access_token: expect.stringMatching(/^[0-9a-f]{40}$/),
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 900,
    scope: 'write:package',
    owner: 'ada',
    packages: ['tool-*'],
  })
  const bearer = stowage.anonymous.with({ Authorization: `Bearer ${answer.access_token}` })
  const address = { owner: 'ada', package: 'tool-cli', version: '1.0', file: 'tool.bin' }
  expect((await bearer.put(address, 'built')).status).toBe(201)
  expect((await ada.put({ ...address, file: 'by-hand.bin' }, 'typed')).status).toBe(201)

  expect(await (await stowage.anonymous.get(address)).text()).toBe('built')
  const origins = await stowage.anonymous.fetch('/api/v1/packages/ada/generic/tool-cli/1.0/origins')
  expect(origins.headers.get('x-total-count')).toBe('1')
  expect(await origins.json()).toEqual([
    { file: 'tool.bin', issuer: ci.url, claims: job, created_at: expect.stringMatching(/Z$/) },
  ])
  const used = await (await ada.fetch(`/api/v1/owners/ada/publishers/${id}`)).json()
  expect(used).toMatchObject({ name: 'octo/tool', last_used_at: expect.stringMatching(/Z$/) })
  const events = (await (await ada.fetch('/api/v1/user/audit?credential=deploy-token')).json()) as { action: string }[]
  expect(events.map(({ action }) => action)).toEqual(['file.published', 'token.exchanged'])
  expect(events[1]).toMatchObject({
    ...{ subject: 'octo/tool', token_last_eight: String(answer.access_token).slice(-8) },
    details: { issuer: ci.url, subject: job.sub, packages: ['tool-*'] },
  })
})

test('the token of a job publishes what its rule says, and does nothing else', async () => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci)
  const ada = await stowage.user('ada')
  const bob = await stowage.user('bob')
  await trust(ada, ci)
  expect((await ada.put({ package: 'tool-cli' }, 'one')).status).toBe(201)
  expect((await ada.put({ package: 'other' }, 'one')).status).toBe(201)
  expect((await bob.put({ package: 'tool-cli' }, 'one')).status).toBe(201)
  const its = await jobOf(stowage, ci)
  const json = { 'Content-Type': 'application/json' }
  const send = (method: string, path: string, body?: object) =>
    its.fetch(path, { method, ...(body ? { body: JSON.stringify(body), headers: json } : {}) })

  const at = (address: object) => ({ owner: 'ada', package: 'tool-cli', version: '2.0', ...address })
  const cases: [string, Promise<Response>, number][] = [
    ['its package', its.put(at({}), 'two'), 201],
    ['another package', its.put(at({ package: 'other' }), 'two'), 403],
    ['a new package of another name', its.put(at({ package: 'not-tool-cli' }), 'two'), 403],
    ['another owner', its.put(at({ owner: 'bob' }), 'two'), 403],
    ['delete a file', its.delete(at({ version: '1.0' })), 403],
    ['delete a version', its.deleteVersion(at({ version: '1.0' })), 403],
    ['delete a package', send('DELETE', '/api/v1/packages/ada/generic/tool-cli'), 403],
    ['delete a version by the API', send('DELETE', '/api/v1/packages/ada/generic/tool-cli/1.0'), 403],
    [
      'delete versions',
      send('POST', '/api/v1/packages/ada/generic/tool-cli/-/delete-versions', { versions: ['1.0'] }),
      403,
    ],
    ['what is said', send('PATCH', '/api/v1/packages/ada/generic/tool-cli/-/metadata', { description: 'x' }), 403],
    ['the log', send('GET', '/api/v1/packages/ada/generic/tool-cli/-/audit'), 403],
    ['who is calling', send('GET', '/api/v1/user'), 403],
    ['tokens', send('GET', '/api/v1/users/ada/tokens'), 401],
    ['a token for itself', send('POST', '/api/v1/users/ada/tokens', { name: 'more', scopes: ['all'] }), 401],
    ['rules', send('GET', '/api/v1/owners/ada/publishers'), 403],
    ['a rule', send('POST', '/api/v1/owners/ada/publishers', {}), 403],
    ['an organisation', send('POST', '/api/v1/orgs', { username: 'evil' }), 403],
    ['administration', send('GET', '/api/v1/admin/users'), 403],
  ]
  for (const [what, sent, status] of cases) expect({ what, status: (await sent).status }).toEqual({ what, status })
  // In the place of a password, where Basic alone is taken.
  const basically = its.with({ Authorization: basic('ada', its.secret) })
  expect((await basically.fetch('/api/v1/users/ada/tokens')).status).toBe(403)
  expect((await basically.post('/api/v1/users/ada/tokens', { name: 'more', scopes: ['all'] })).status).toBe(403)
  expect((await basically.put(at({ version: '3.0' }), 'three')).status).toBe(201)
})

test('the token of a job is dead after 15 minutes', async () => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci)
  await trust(await stowage.user('ada'), ci)
  const its = await jobOf(stowage, ci)
  stowage.clock.ahead = 15 * 60_000 - 2_000
  expect((await its.put({ owner: 'ada', package: 'tool-a' }, 'in time')).status).toBe(201)
  stowage.clock.ahead = 15 * 60_000 + 1_000
  expect((await its.put({ owner: 'ada', package: 'tool-b' }, 'late')).status).toBe(401)
})

test('the token of a job reads nothing more once it is dead, and an upload that outlasts it is refused', async () => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci, { nodes: 1 })
  const ada = await stowage.user('ada', { visibility: 'private' })
  await trust(ada, ci)
  const its = await jobOf(stowage, ci)
  const address = { owner: 'ada', package: 'tool-a' }
  expect((await its.put(address, 'x')).status).toBe(201)
  for (let round = 0; round < 3; round++) expect((await its.get(address)).status).toBe(200)
  const authorization = { Authorization: `Bearer ${its.secret}` }
  using upload = await SlowUpload.begin(stowage.port, ada.path({ package: 'tool-slow' }), authorization, 10)
  await upload.send('first')
  const bytesAreThere = async () => [...(await blobFiles(stowage.dataDir)).values()].some((size) => size > 1)
  await until(bytesAreThere, 'the first bytes are there')
  stowage.clock.ahead = 15 * 60_000 + 1_000
  expect((await its.get(address)).status).toBe(401)
  await upload.send('later')
  expect((await upload.answer()).status).toBe(401)
  expect((await ada.get({ package: 'tool-slow' })).status).toBe(404)
})

test('times may have fractions of a second', async () => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci)
  await trust(await stowage.user('ada'), ci)
  const claims = { exp: seconds() + 300.1234567, nbf: seconds() - 0.5, iat: seconds() - 0.25 }
  expect((await exchange(stowage, await ci.forge(stowage.url, { claims }))).status).toBe(200)
})

describe('an ID token is refused', () => {
  const forged: [string, (ci: CiIssuer, audience: string) => Promise<string>, RegExp][] = [
    ['that is none', async () => 'no-token', /is no signed JWT/],
    ['that is unsigned', async (ci, aud) => unsigned(await ci.forge(aud)), /signed by 'none'/],
    [
      'that is unsigned, in other letters',
      async (ci, aud) => unsigned(await ci.forge(aud), 'nOnE'),
      /signed by 'nOnE'/,
    ],
    ['signed by what everybody knows', hmacByPublicKey, /signed by 'HS256'/],
    ['with a signature of another token', swapped, /has a wrong signature/],
    [
      'by a key of the same name',
      async (ci, aud) => ci.forge(aud, { key: { ...(await newKey()), kid: ci.key.kid ?? '' } }),
      /has a wrong signature/,
    ],
    [
      'by an unknown key',
      async (ci, aud) => ci.forge(aud, { header: { kid: 'mine' } }),
      /a key that its issuer does not/,
    ],
    [
      'that brings its own key',
      async (ci, aud) => {
        const key = await newKey()
        const { n, e, kty } = key
        return ci.forge(aud, { key, header: { jwk: { n, e, kty }, kid: 'mine' } })
      },
      /a key that its issuer does not/,
    ],
    ['without a kid', async (ci, aud) => ci.forge(aud, { header: { kid: undefined } }), /does not say by which key/],
    ['that is an access token', async (ci, aud) => ci.forge(aud, { header: { typ: 'at+jwt' } }), /is no ID token/],
    ['with a crit of its own', async (ci, aud) => critical(ci, aud), /is not signed as it should be/],
    [
      'of another issuer',
      async (ci, aud) => ci.forge(aud, { claims: { iss: 'https://ci.example.com' } }),
      /not trusted/,
    ],
    ['of an issuer with a slash', async (ci, aud) => ci.forge(aud, { claims: { iss: `${ci.url}/` } }), /not trusted/],
    ['for somebody else', async (ci) => ci.sign('https://packages.example.com'), /audience must be http/],
    ['for an address below', async (ci, aud) => ci.sign(`${aud}/`), /audience must be http/],
    ['for others too', async (ci, aud) => ci.forge([aud, 'https://packages.example.com']), /audience must be http/],
    ['for nobody', async (ci) => ci.forge(undefined), /audience must be http/],
    ['that has expired', async (ci, aud) => ci.sign(aud, job, { expiresAt: seconds() - 31 }), /has expired/],
    ['that never expires', async (ci, aud) => ci.forge(aud, { claims: { exp: undefined } }), /when it ends/],
    ['that lasts for years', async (ci, aud) => ci.sign(aud, job, { expiresAt: seconds() + 1e8 }), /24 hours/],
    ['that is early', async (ci, aud) => ci.forge(aud, { claims: { nbf: seconds() + 60 } }), /is good from/],
    ['of the future', async (ci, aud) => ci.forge(aud, { claims: { iat: seconds() + 60 } }), /made in the future/],
    ['of no time', async (ci, aud) => ci.forge(aud, { claims: { iat: undefined } }), /when it was made/],
    ['without a number', async (ci, aud) => ci.forge(aud, { claims: { jti: undefined } }), /number of its own/],
    ['without a subject', async (ci, aud) => ci.forge(aud, { claims: { sub: undefined } }), /of whom it is/],
    ['that is huge', async (ci, aud) => ci.forge(aud, { claims: { x: 'x'.repeat(16 * 1024) } }), /more than 16384/],
    [
      'of another repository that has the name now',
      async (ci, aud) => ci.sign(aud, { ...job, repository_id: '75' }),
      /No rule lets this job publish\. Its ID token says repository_id=75, sub=repo:octo/,
    ],
    [
      'of a repository that is a pattern',
      async (ci, aud) => ci.sign(aud, { ...job, repository_id: '*' }),
      /No rule lets this job publish/,
    ],
    [
      'of a pull request of a stranger',
      async (ci, aud) => ci.sign(aud, { ...job, event_name: 'pull_request_target' }),
      /No rule lets this job publish/,
    ],
  ]

  test.each(forged)('%s', async (_, make, why) => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci)
    await trust(await stowage.user('ada'), ci)
    const told = await refusal(await exchange(stowage, await make(ci, stowage.url)))
    expect(told).toMatch(/^400 invalid_request: /)
    expect(told).toMatch(why)
    expect(await stowage.change('select * from deploy_tokens')).toEqual([])
    // The same job with a good one.
    expect((await exchange(stowage, await ci.sign(stowage.url))).status).toBe(200)
  })
})

function seconds(): number {
  return Math.floor(Date.now() / 1000)
}

function unsigned(token: string, alg = 'none'): string {
  const [, payload] = token.split('.')
  return `${base64url({ alg, typ: 'JWT', kid: 'x' })}.${payload}.`
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

async function hmacByPublicKey(ci: CiIssuer, audience: string): Promise<string> {
  const { kty, n, e, kid, alg, use } = ci.key
  const known = new TextEncoder().encode(JSON.stringify({ kty, n, e, kid, alg, use }))
  return ci.forge(audience, { key: known, header: { alg: 'HS256' } })
}

async function swapped(ci: CiIssuer, audience: string): Promise<string> {
  const [head, payload] = (
    await ci.forge(audience, { claims: { repository_id: '74', ref: 'refs/heads/other' } })
  ).split('.')
  const [, , signature] = (await ci.sign(audience)).split('.')
  return `${head}.${payload}.${signature}`
}

async function critical(ci: CiIssuer, audience: string): Promise<string> {
  const [, payload, signature] = (await ci.sign(audience)).split('.')
  const head = base64url({ alg: 'RS256', typ: 'JWT', kid: ci.key.kid, crit: ['x'], x: 1 })
  return `${head}.${payload}.${signature}`
}

test('each ID token is good for one exchange, also for two at once', async () => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci)
  await trust(await stowage.user('ada'), ci)
  const token = await ci.sign(stowage.url)
  const answers = await Promise.all(Array.from({ length: 5 }, () => exchange(stowage, token)))
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400])
  expect(await refusal(await exchange(stowage, token))).toBe(
    '400 invalid_request: The ID token has been used before: each one is good for one exchange. Ask for another, or run the job again.',
  )
  expect(await stowage.change('select id from deploy_tokens')).toHaveLength(1)
  // The same number of another issuer is another one.
  const again = await ci.sign(stowage.url)
  expect((await exchange(stowage, again)).status).toBe(200)
})

test('each ID token is good for one exchange, also at two nodes', async () => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci, { nodes: 2 })
  await trust(await stowage.user('ada'), ci)
  for (let round = 0; round < 3; round++) {
    const token = await ci.sign(stowage.url)
    const [one, other] = stowage.nodes
    if (!one || !other) throw new Error('there are no two nodes')
    const answers = await Promise.all([exchange(one, token), exchange(other, token)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400])
  }
})

describe('the keys of an issuer', () => {
  test('are asked for once, and again when it signs with another one', async () => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci, { nodes: 1 })
    await trust(await stowage.user('ada'), ci)
    const tokens = await Promise.all(Array.from({ length: 5 }, () => ci.sign(stowage.url)))
    const answers = await Promise.all(tokens.map((token) => exchange(stowage, token)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(ci.asked).toEqual(['/.well-known/openid-configuration', '/jwks'])

    const old = await ci.sign(stowage.url)
    await ci.rotate()
    // Strangers who invent keys have it asked once in half a minute, and so does who comes within it.
    const invented = () => ci.forge(stowage.url, { header: { kid: `invented-${Math.random()}` } })
    for (let round = 0; round < 5; round++) {
      expect(await refusal(await exchange(stowage, await invented()))).toMatch(/a key that its issuer does not have/)
    }
    expect(ci.asked).toHaveLength(2)
    stowage.clock.ahead = 31_000
    for (let round = 0; round < 5; round++) {
      expect(await refusal(await exchange(stowage, await invented()))).toMatch(/a key that its issuer does not have/)
    }
    expect(ci.asked).toHaveLength(4)
    expect((await exchange(stowage, await ci.sign(stowage.url))).status).toBe(200)
    // What was withdrawn is nobody's any more.
    expect(await refusal(await exchange(stowage, old))).toMatch(/a key that its issuer does not have/)
  })

  test('count for an hour while it does not answer', async () => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci, { nodes: 1 })
    await trust(await stowage.user('ada'), ci)
    const later = () => seconds() + 2 * 60 * 60
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        expect((await exchange(stowage, await ci.sign(stowage.url))).status).toBe(200)
      }),
    )
    ci.answer = (_, response) => response.writeHead(503).end()
    stowage.clock.ahead = 30 * 60_000
    expect((await exchange(stowage, await ci.sign(stowage.url, job, { expiresAt: later() }))).status).toBe(200)
    stowage.clock.ahead = 61 * 60_000
    const late = await exchange(stowage, await ci.sign(stowage.url, job, { expiresAt: later() }))
    expect(late.headers.get('retry-after')).toBe('30')
    expect(await refusal(late)).toMatch(/^503 temporarily_unavailable: .* does not tell its keys at the moment/)
    // And it is not asked again at once.
    const asked = ci.asked.length
    expect((await exchange(stowage, await ci.sign(stowage.url, job, { expiresAt: later() }))).status).toBe(503)
    expect(ci.asked).toHaveLength(asked)
    ci.answer = undefined
    stowage.clock.ahead += 31_000
    expect((await exchange(stowage, await ci.sign(stowage.url, job, { expiresAt: later() }))).status).toBe(200)
  })

  const wrong: [string, (ci: CiIssuer) => CiIssuer['answer']][] = [
    ['that is silent', () => () => {}],
    ['that hangs up', () => (request) => request.socket.destroy()],
    ['that answers with a page', () => (_, response) => response.end('<h1>Sign in</h1>')],
    [
      'that leads elsewhere',
      (ci) => (_, response) => response.writeHead(302, { Location: `${ci.url}/elsewhere` }).end(),
    ],
    ['that answers without end', () => (_, response) => response.end('x'.repeat(300 * 1024))],
    ['that describes another', (ci) => describing({ issuer: 'https://ci.example.com' }, [publicKey(ci)])],
    ['that names no keys', () => describing({ jwks_uri: undefined })],
    ['whose keys are not on the web', () => describing({ jwks_uri: 'file:///etc/passwd' })],
    ['with no list of keys', () => keys('none')],
    ['with too many keys', () => keys(Array.from({ length: 101 }, (_, index) => ({ kty: 'RSA', kid: String(index) })))],
  ]
  function describing(fields: object, all: unknown = []): CiIssuer['answer'] {
    return (request, response) => {
      const url = `http://${request.headers.host}`
      const description = { issuer: url, jwks_uri: `${url}/jwks`, ...fields }
      response.end(JSON.stringify(request.url === '/jwks' ? { keys: all } : description))
    }
  }
  function keys(all: unknown): CiIssuer['answer'] {
    return describing({}, all)
  }

  test.each(wrong)('of one %s are not known', async (_, answer) => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci, { replace: { outgoing: { limits: { time: 300 } } } })
    await trust(await stowage.user('ada'), ci)
    ci.answer = answer(ci)
    const response = await exchange(stowage, await ci.sign(stowage.url))
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    // What is behind the server is told to nobody.
    expect(await refusal(response)).toBe(
      `503 temporarily_unavailable: ${ci.url} does not tell its keys at the moment. Try again.`,
    )
  })

  test('are asked for at its own host, which may be in the network behind, and at no other one there', async () => {
    await using ci = await CiIssuer.start()
    const asked: string[] = []
    await using behind = Bun.serve({
      hostname: '127.0.0.2',
      port: 0,
      fetch: ({ url }) => {
        asked.push(url)
        return Response.json({ keys: [publicKey(ci)] })
      },
    })
    // Nor where that is an issuer too.
    const other = `http://127.0.0.2:${behind.port}`
    await using stowage = await trusting(ci, { settings: { STOWAGE_OIDC_PUBLISHERS: `github=${ci.url}, ${other}` } })
    await trust(await stowage.user('ada'), ci)
    ci.answer = describing({ jwks_uri: `${other}/jwks` })
    expect((await exchange(stowage, await ci.sign(stowage.url))).status).toBe(503)
    expect(asked).toEqual([])
    ci.answer = keys([publicKey(ci)])
    stowage.clock.ahead = 31_000
    expect((await exchange(stowage, await ci.sign(stowage.url))).status).toBe(200)
  })

  test('that sign in no way that is taken are no keys', async () => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci)
    await trust(await stowage.user('ada'), ci)
    const secret = Buffer.from('a secret that everybody knows by now').toString('base64url')
    ci.answer = keys([
      { kty: 'oct', kid: ci.key.kid, k: secret, alg: 'HS256' },
      'none',
      null,
      { ...publicKey(ci), use: 'enc' },
    ])
    expect(await refusal(await exchange(stowage, await ci.sign(stowage.url)))).toMatch(
      /a key that its issuer does not have/,
    )
  })

  test('are asked for by http on this machine alone', async () => {
    await using ci = await CiIssuer.start()
    const found: string[] = []
    const resolve = async (host: string) => {
      found.push(host)
      return []
    }
    await using stowage = await trusting(ci, { replace: { outgoing: { resolve } } })
    await trust(await stowage.user('ada'), ci)
    ci.answer = describing({ jwks_uri: 'http://ci.example.com/jwks' })
    expect((await exchange(stowage, await ci.sign(stowage.url))).status).toBe(503)
    expect(found).toEqual([])
  })

  test('with which nothing can be checked are told as such', async () => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci)
    await trust(await stowage.user('ada'), ci)
    const { n, e } = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
    ci.answer = keys([
      { kty: 'RSA', kid: 'short', n, e },
      { kty: 'RSA', kid: 'broken' },
      { kty: 'EC', kid: 'nowhere', crv: 'P-256', x: 'AA', y: 'AA' },
      publicKey(ci),
    ])
    const [, payload, signature] = (await ci.sign(stowage.url)).split('.')
    for (const [kid, alg] of [
      ['short', 'RS256'],
      ['broken', 'RS256'],
      ['nowhere', 'ES256'],
    ]) {
      const told = await refusal(await exchange(stowage, `${base64url({ alg, kid })}.${payload}.${signature}`))
      expect(told).toMatch(/^400 invalid_request: The ID token is not signed as it should be/)
    }
    expect((await exchange(stowage, await ci.sign(stowage.url))).status).toBe(200)
  })

  test('are for what they say they are for', async () => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci)
    await trust(await stowage.user('ada'), ci)
    ci.answer = keys([{ ...publicKey(ci), alg: 'RS512' }])
    expect(await refusal(await exchange(stowage, await ci.sign(stowage.url)))).toMatch(
      /in another way than the key is for/,
    )
  })
})

function publicKey({ key: { kty, n, e, kid, alg, use } }: CiIssuer): JWK {
  return { kty, n, e, kid, alg, use } as JWK
}

describe('a request', () => {
  const cases: [string, Record<string, string>, string][] = [
    ['for another grant', { grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    ['without a token', { subject_token: '' }, 'invalid_request'],
    ['of another type of token', { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, 'invalid_request'],
    ['for another type', { requested_token_type: idToken }, 'invalid_request'],
    ['for somebody else', { actor_token: 'x' }, 'invalid_request'],
    ['for another place', { resource: 'https://packages.example.com/api/packages/ada' }, 'invalid_target'],
  ]
  test.each(cases)('%s is refused', async (_, more, error) => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci)
    const response = await exchange(stowage, 'x', more)
    expect(response.headers.get('x-request-id')).toBeTruthy()
    expect({ status: response.status, ...((await response.json()) as object) }).toMatchObject({ status: 400, error })
  })

  test('may be JSON, may call the token a JWT, and its credentials are not looked at', async () => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci, { settings: { STOWAGE_REQUIRE_SIGN_IN: 'true' } })
    await trust(await stowage.user('ada'), ci)
    const body = {
      ...{ grant_type: tokenExchange, subject_token: await ci.sign(stowage.url), unknown: 'parameter' },
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    }
    const wrong = stowage.anonymous.with({ Authorization: `Bearer ${'0'.repeat(40)}` })
    expect((await wrong.post('/api/v1/oidc/token', body)).status).toBe(200)
    expect((await stowage.anonymous.post('/api/v1/oidc/token', [1])).status).toBe(400)
    expect((await stowage.anonymous.post('/api/v1/oidc/token', { grant_type: 7 })).status).toBe(400)
    const twice = new URLSearchParams([...Object.entries(body), ['grant_type', tokenExchange]])
    const sent = await stowage.anonymous.fetch('/api/v1/oidc/token', { method: 'POST', body: twice })
    expect(await refusal(sent)).toBe('400 invalid_request: grant_type must be there once.')
    const long = await exchange(stowage, 'x'.repeat(40_000))
    expect(await refusal(long)).toMatch(/^413 invalid_request/)
  })

  test('says whose rules are meant where strangers have some about the same repository', async () => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci)
    const ada = await stowage.user('ada')
    const eve = await stowage.user('eve', { visibility: 'private' })
    await trust(ada, ci)
    await trust(eve, ci)
    const of = (owner: string) => ({ resource: `${stowage.url}/api/packages/${owner}` })
    expect(await refusal(await exchange(stowage, await ci.sign(stowage.url)))).toMatch(
      /^400 invalid_target: Rules of several owners are about this job: say whose/,
    )
    const its = await jobOf(stowage, ci, job, of('Ada'))
    expect((await its.put({ owner: 'ada', package: 'tool-a' }, 'x')).status).toBe(201)
    expect((await its.put({ owner: 'eve', package: 'tool-a' }, 'x')).status).toBe(404)
    // Who has none, and who is not there, are told alike.
    const told = async (owner: string) => refusal(await exchange(stowage, await ci.sign(stowage.url), of(owner)))
    expect(await told('admin')).toMatch(/^400 invalid_request: No rule lets this job publish/)
    expect(await told('nobody')).toBe(await told('admin'))
    expect(await told('not%20a/name')).toMatch(/^400 invalid_target/)
  })

  test('says it also where strangers have so many rules that not all are looked at', async () => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci)
    await trust(await stowage.user('eve'), ci)
    await trust(await stowage.user('mal'), ci, { claims: { ...rule, ref: 'refs/heads/none' } })
    const numbers = Array.from({ length: 99 }, (_, index) => `select ${index} as n`).join(' union all ')
    const copied = 'issuer, pinned, claims, packages, created_by, created_at, last_used_at'
    await stowage.change(
      `insert into publishers (owner_id, name, ${copied}) select owner_id, name || n, ${copied} from publishers, (${numbers}) as numbers`,
    )
    await trust(await stowage.user('ada'), ci)
    expect(await refusal(await exchange(stowage, await ci.sign(stowage.url)))).toMatch(/^400 invalid_target/)
    const its = await jobOf(stowage, ci, job, { resource: `${stowage.url}/api/packages/ada` })
    expect((await its.put({ owner: 'ada', package: 'tool-a' }, 'x')).status).toBe(201)
  })

  test('is one of 120 that a network has in a minute', async () => {
    await using ci = await CiIssuer.start()
    await using stowage = await trusting(ci, { nodes: 1 })
    for (let sent = 0; sent < 120; sent++) expect((await exchange(stowage, 'x')).status).toBe(400)
    const response = await exchange(stowage, 'x')
    expect(response.headers.get('retry-after')).toBe('60')
    expect(await refusal(response)).toMatch(/^429 temporarily_unavailable: Too many ID tokens from this network/)
    expect(ci.asked).toEqual([])
    stowage.clock.ahead = 61_000
    expect((await exchange(stowage, 'x')).status).toBe(400)
  })

  test('is refused where no issuer is trusted', async () => {
    await using ci = await CiIssuer.start()
    await using stowage = await startStowage()
    expect(await refusal(await exchange(stowage, await ci.sign(stowage.url)))).toMatch(
      /^400 unsupported_grant_type: No issuer of ID tokens is trusted here/,
    )
    expect(ci.asked).toEqual([])
  })
})

test('a job that several rules of an owner are about publishes what they say together', async () => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci)
  const ada = await stowage.user('ada')
  await trust(ada, ci, { packages: ['tool-*', 'lib'] })
  const second = await trust(ada, ci, { packages: ['nightly', 'lib'], claims: { ...rule, ref: 'refs/heads/*' } })
  await trust(ada, ci, { packages: ['released'], claims: { ...rule, ref: 'refs/tags/*' } })
  const response = await exchange(stowage, await ci.sign(stowage.url))
  const { access_token, packages } = (await response.json()) as { access_token: string; packages: string[] }
  expect(packages).toEqual(['tool-*', 'lib', 'nightly'])
  const its = stowage.anonymous.with({ Authorization: `token ${access_token}` })
  expect((await its.put({ owner: 'ada', package: 'nightly' }, 'x')).status).toBe(201)
  expect((await its.put({ owner: 'ada', package: 'released' }, 'x')).status).toBe(403)
  // Whichever of them goes, what they let in together ends.
  expect((await ada.fetch(`/api/v1/owners/ada/publishers/${second.id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await its.put({ owner: 'ada', package: 'tool-a' }, 'x')).status).toBe(401)
})

test.each([
  ['deleted', { method: 'DELETE' }],
  ['changed', { method: 'PATCH', body: '{"packages":["else"]}' }],
])('what a job uploads while its rule is %s is refused at its end', async (_, init) => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci, { nodes: 1 })
  const ada = await stowage.user('ada')
  const { id } = await trust(ada, ci)
  const { secret } = await jobOf(stowage, ci)
  const path = ada.path({ package: 'tool-slow' })
  using upload = await SlowUpload.begin(stowage.port, path, { Authorization: `Bearer ${secret}` }, 10)
  await upload.send('first')
  const bytesAreThere = async () => [...(await blobFiles(stowage.dataDir)).values()].some((size) => size > 0)
  await until(bytesAreThere, 'the first bytes are there')
  expect((await ada.fetch(`/api/v1/owners/ada/publishers/${id}`, init)).ok).toBe(true)
  await upload.send('later')
  expect((await upload.answer()).status).toBe(401)
  expect((await ada.get({ package: 'tool-slow' })).status).toBe(404)
})

test('rules of an organisation outlive whoever made them, and end with it', async () => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci)
  const ada = await stowage.user('ada')
  expect((await ada.post('/api/v1/orgs', { username: 'acme' })).status).toBe(201)
  await trust(ada.as('acme'), ci)
  expect((await stowage.admin.post('/api/v1/admin/users/admin/orgs', { username: 'other' })).status).toBe(201)
  const teams = (await (await ada.fetch('/api/v1/orgs/acme/teams')).json()) as { id: number }[]
  expect((await stowage.admin.fetch(`/api/v1/teams/${teams[0]?.id}/members/admin`, { method: 'PUT' })).status).toBe(204)
  expect((await stowage.admin.fetch('/api/v1/admin/users/ada', { method: 'DELETE' })).status).toBe(204)
  const its = await jobOf(stowage, ci)
  expect((await its.put({ owner: 'acme', package: 'tool-a' }, 'x')).status).toBe(201)
  const list = await stowage.admin.fetch('/api/v1/owners/acme/publishers')
  expect(await list.json()).toMatchObject([{ created_by: null }])
  expect((await stowage.admin.fetch('/api/v1/packages/acme/generic/tool-a', { method: 'DELETE' })).status).toBe(204)
  expect((await stowage.admin.fetch('/api/v1/orgs/acme', { method: 'DELETE' })).status).toBe(204)
  expect((await its.put({ owner: 'acme', package: 'tool-b' }, 'x')).status).toBe(401)
  expect((await exchange(stowage, await ci.sign(stowage.url))).status).toBe(400)
})

test('nobody publishes for an account that may not sign in', async () => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci)
  const ada = await stowage.user('ada')
  await trust(ada, ci)
  const its = await jobOf(stowage, ci)
  const prohibit = { method: 'PATCH', body: '{"prohibit_login":true}' }
  expect((await stowage.admin.fetch('/api/v1/admin/users/ada', prohibit)).status).toBe(200)
  expect((await its.put({ owner: 'ada', package: 'tool-a' }, 'x')).status).toBe(401)
  expect(await refusal(await exchange(stowage, await ci.sign(stowage.url)))).toMatch(/No rule lets this job publish/)
})

test('what has ended is forgotten, an hour later', async () => {
  await using ci = await CiIssuer.start()
  await using stowage = await trusting(ci)
  const ada = await stowage.user('ada')
  await trust(ada, ci)
  await jobOf(stowage, ci)
  const count = async () => [
    (await stowage.change('select id from deploy_tokens')).length,
    (await stowage.change("select sha256 from used_once where kind = 'jti'")).length,
  ]
  const tidy = async () => {
    await stowage.change("delete from jobs where kind = 'ended-exchanges'")
    await stowage.change("insert into jobs (kind, subject, due_at, created_at) values ('ended-exchanges', '', 0, 0)")
    expect(await stowage.stowage.runJobs('ended-exchanges')).toBe(1)
  }
  stowage.clock.ahead = 60 * 60_000
  await tidy()
  expect(await count()).toEqual([1, 1])
  stowage.clock.ahead = 80 * 60_000
  await tidy()
  expect(await count()).toEqual([0, 0])
})
