import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  accountOf,
  callers,
  credentials,
  makeWorld,
  named,
  type OwnerKind,
  ownerOf,
  owners,
  proxied,
  read,
  rights,
} from '../support/access-world.ts'
import { dropDatabaseOf } from '../support/database.ts'
import { startStowage, type TestStowage } from '../support/stowage.ts'

/*
 * Who may do what, as the manual's chapter on access has it. A table of rights (`access-world.ts`) and a table of answers are
 * written down, and every combination of a caller, an owner, a credential and a request is sent over HTTP: what the first says of
 * caller and owner is looked up in the second, which says what each request is answered then.
 */

/**
 * What a request gets, by what the caller holds at the owner (R–, RW–: with a token that lacks the scope; R/p: with a public-only
 * token where the owner is not public; anon: who sent no credentials). `hidden` is the very answer for an owner that does not
 * exist, `none` the one for a package that does not exist.
 */
const answers = `
  request         | anon –  | anon R  | x    | –       | R     | RW    | R no scope | RW no scope | RW read only | R/p   | RW/p
  GET file        | 401     | 200     | 401  | hidden  | 200   | 200   | 403        | 403         | 200          | 403   | 403
  HEAD file       | 401     | 200     | 401  | hidden  | 200   | 200   | 403        | 403         | 200          | 403   | 403
  GET no file     | 401     | none    | 401  | hidden  | none  | none  | 403        | 403         | none         | 403   | 403
  PUT             | 401     | 401     | 401  | hidden  | 403   | 201   | 403        | 403         | 403          | 403   | 403
  PUT bad name    | 401     | 401     | 401  | hidden  | 403   | 400   | 403        | 403         | 403          | 403   | 403
  DELETE file     | 401     | 401     | 401  | hidden  | 403   | none  | 403        | 403         | 403          | 403   | 403
  DELETE version  | 401     | 401     | 401  | hidden  | 403   | none  | 403        | 403         | 403          | 403   | 403
  API list        | hidden  | 200     | 401  | hidden  | 200   | 200   | 403        | 403         | 200          | 403   | 403
  API version     | hidden  | 200     | 401  | hidden  | 200   | 200   | 403        | 403         | 200          | 403   | 403
  API latest      | hidden  | 200     | 401  | hidden  | 200   | 200   | 403        | 403         | 200          | 403   | 403
  API files       | hidden  | 200     | 401  | hidden  | 200   | 200   | 403        | 403         | 200          | 403   | 403
`

/** Where sign-in is required to view, who has not signed in gets this for everything, at owners that do not exist too. */
const mustSignIn = '401'

interface Request {
  method: string
  path: (owner: string) => string
  body?: string
}

let unique = 0
const registry = (owner: string, rest: string) => `/api/packages/${owner}/generic/${rest}`
const requests: Record<string, Request> = {
  'GET file': { method: 'GET', path: (owner) => registry(owner, 'tool/1.0/tool.bin') },
  'HEAD file': { method: 'HEAD', path: (owner) => registry(owner, 'tool/1.0/tool.bin') },
  'GET no file': { method: 'GET', path: (owner) => registry(owner, 'none/1.0/none.bin') },
  PUT: { method: 'PUT', path: (owner) => registry(owner, `put/1.0/${unique++}`), body: 'x' },
  'PUT bad name': { method: 'PUT', path: (owner) => registry(owner, 'put/1.0/a,b'), body: 'x' },
  'DELETE file': { method: 'DELETE', path: (owner) => registry(owner, 'none/1.0/none.bin') },
  'DELETE version': { method: 'DELETE', path: (owner) => registry(owner, 'none/1.0') },
  'API list': { method: 'GET', path: (owner) => `/api/v1/packages/${owner}` },
  'API version': { method: 'GET', path: (owner) => `/api/v1/packages/${owner}/generic/tool/1.0` },
  'API latest': { method: 'GET', path: (owner) => `/api/v1/packages/${owner}/generic/tool/-/latest` },
  'API files': { method: 'GET', path: (owner) => `/api/v1/packages/${owner}/generic/tool/1.0/files` },
}

const expected = read(answers)

/** What the token's scopes make of the right that its user has. */
function column(held: string, scopes: string[] | undefined, owner: OwnerKind): string {
  if (held === 'x' || held === '–' || !scopes) return held
  if (scopes.includes('public-only') && !owner.startsWith('public')) return `${held}/p`
  const mayWrite = scopes.includes('all') || scopes.includes('write:package')
  if (!mayWrite && !scopes.includes('read:package')) return `${held} no scope`
  return held === 'RW' && !mayWrite ? 'RW read only' : held
}

const dataDir = await mkdtemp(join(tmpdir(), 'stowage-access-'))
let tokens = new Map<string, string>()

beforeAll(async () => {
  tokens = await makeWorld(dataDir)
}, 120_000)

afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true })
  await dropDatabaseOf(dataDir)
})

/** What the server answered, in the words of the table. */
async function send(stowage: TestStowage, headers: Record<string, string>, request: Request, owner: string) {
  const { method, path, body } = request
  const response = await fetch(stowage.url + path(owner), { method, headers, ...(body ? { body } : {}) })
  const text = await response.text()
  if (response.status !== 404) return String(response.status)
  // A HEAD has no sentence, and the same headers.
  if (text.includes('Not found.') || method === 'HEAD') return 'hidden'
  return /package (file )?does not exist/.test(text) ? 'none' : text
}

/** Asked by everybody with everything; the rest is decided alike, and asked by a few credentials. */
const some = ['GET file', 'PUT bad name', 'API list']
const everything = ['password', 'token: read:package', 'token: write:package', 'token: all, public-only']
/** Another mode decides about who calls, not what for. */
const inModes = ['password', 'a trusted proxy', 'token: all', 'token as Basic password']

/** Settings, and what is asked under them. */
const modes: Record<string, { settings: Record<string, string>; asks: (credential: string) => string[] }> = {
  'as it comes': {
    settings: {},
    asks: (credential) => (everything.includes(credential) ? Object.keys(requests) : some),
  },
  'sign-in required to view': {
    settings: { STOWAGE_REQUIRE_SIGN_IN: 'true' },
    asks: (credential) => (inModes.includes(credential) ? some : []),
  },
  'passwords off': {
    settings: { STOWAGE_PASSWORD_LOGIN: 'false' },
    asks: (credential) => (inModes.includes(credential) ? some : []),
  },
}

describe.each(Object.keys(modes))('%s', (mode) => {
  let stowage: TestStowage
  let cells = 0

  beforeAll(async () => {
    stowage = await startStowage({ dataDir, settings: { ...proxied, ...modes[mode]?.settings } })
  })
  afterAll(async () => {
    await stowage.stop()
    // Every caller, owner and request was there: an empty table would pass too.
    expect(cells).toBeGreaterThan(1_000)
  })

  test('anonymous', async () => {
    const wrong: string[] = []
    for (const owner of [...owners, 'nobody']) {
      for (const [name, request] of Object.entries(requests)) {
        const held = rights.get('anonymous')?.[owner]
        const usual = owner === 'nobody' ? 'hidden' : expected.get(name)?.[`anon ${held}`]
        const wanted = mode === 'sign-in required to view' ? mustSignIn : usual
        const got = await send(stowage, {}, request, named(owner))
        cells++
        if (got !== wanted) wrong.push(`${name} at a ${owner}: ${got}, not ${wanted}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test.each(callers)('%s', async (caller) => {
    const wrong: string[] = []
    const cell = async (owner: OwnerKind | 'nobody', held: string, credential: string) => {
      const { scopes, headers } = credentials[credential] ?? { headers: () => ({}) }
      const name = accountOf(caller, owner === 'nobody' ? 'public user' : owner)
      const sent = headers(name, tokens.get(`${name} ${scopes?.join()}`) ?? '')
      const isRefused = mode === 'passwords off' && credential.startsWith('password')
      const asked = Object.entries(requests).map(async ([what, request]) => {
        if (!modes[mode]?.asks(credential).includes(what)) return
        const right = isRefused ? 'x' : owner === 'nobody' ? held : column(held, scopes, owner)
        const wanted = expected.get(what)?.[right]
        const got = await send(stowage, sent, request, owner === 'nobody' ? owner : ownerOf(caller, owner))
        cells++
        if (got !== wanted) wrong.push(`${what} at a ${owner} by ${credential}: ${got}, not ${wanted}`)
      })
      await Promise.all(asked)
    }
    for (const credential of Object.keys(credentials)) {
      const asked = owners.map((owner) => {
        const held = rights.get(caller)?.[owner]
        return held && cell(owner, held, credential)
      })
      // An owner that does not exist is answered as one that is hidden.
      const hidden = cell('nobody', rights.get(caller)?.['public user'] === 'x' ? 'x' : '–', credential)
      await Promise.all([...asked, hidden])
    }
    expect(wrong).toEqual([])
  })
})

test('both tables name the same requests and every right', () => {
  expect([...expected.keys()]).toEqual(Object.keys(requests))
  const held = new Set([...rights.values()].flatMap((row) => Object.values(row)))
  expect([...held].sort()).toEqual(['', 'R', 'RW', 'x', '–'])
})
