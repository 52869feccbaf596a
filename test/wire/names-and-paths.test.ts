import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { rawRequest } from '../support/raw-socket.ts'
import { refusal } from '../support/refusal.ts'
import { nothing, stored } from '../support/stored.ts'
import { adminPassword, basic, startStowage, type TestStowage } from '../support/stowage.ts'

const asAdmin = { Authorization: basic('admin', adminPassword) }
const base = '/api/packages/admin/generic'

let stowage: TestStowage
beforeAll(async () => {
  stowage = await startStowage({ replace: { addresses: 'every' } })
})
afterAll(() => stowage[Symbol.asyncDispose]())

/** Sends the target as it is written here. */
const send = (method: string, target: string, server = stowage) =>
  rawRequest(server.port, method, target, asAdmin, method === 'PUT' ? 'x' : '')

/** Every byte escaped that is not a plain letter, digit or one of `-_.~`. */
const escaped = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)

const kinds = {
  package: { sentence: 'invalid package name', target: (name: string) => `${base}/${name}/1/f` },
  version: { sentence: 'invalid package version', target: (name: string) => `${base}/versions/${name}/f` },
  file: { sentence: 'invalid filename', target: (name: string) => `${base}/files/1/${name}` },
} as const
type Kind = keyof typeof kinds

const allowed: [Kind, string][] = [
  ...['a', 'Z', '0', '...', '..a', '.hidden', '--', 'a-', '-a', '_a', '++', 'a+b', 'a.b_c-d', 'n'.repeat(255)].map(
    (name): [Kind, string] => ['package', name],
  ),
  ...[...'abcXYZ019_-+=:;()[]{}~!@#$%^&'].map((name): [Kind, string] => ['file', name]),
  ...['a b', '...', '.a', 'a.', '%41', '%2e%2e', 'tool-1.0 (x64).tar.gz', 'f'.repeat(255)].map(
    (name): [Kind, string] => ['file', name],
  ),
  ...['1', 'latest', '1.0 rc 1', `it's "1"`, '<b>', '?', '#', ';', '*', '%', '%2F', '...', '.1', '1.', '-', '+'].map(
    (name): [Kind, string] => ['version', name],
  ),
  ...['ä', '版本', '😀', 'a\u00a0b', 'a\u3000b', '\u0301', '\ue000', 'v'.repeat(255), '😀'.repeat(255)].map(
    (name): [Kind, string] => ['version', name],
  ),
]

const refused: [Kind, string, string][] = [
  ['package', 'a single hyphen', '-'],
  ['package', 'a single underscore', '_'],
  ['package', 'a single plus', '+'],
  ['package', 'a space', 'a b'],
  ['package', 'a slash', 'a/b'],
  ['package', 'a colon', 'a:b'],
  ['package', 'a tilde', 'a~b'],
  ['package', 'an at sign', '@a'],
  ['package', 'a letter beyond ASCII', 'é1'],
  ['package', 'the Kelvin sign', '\u212aelvin'],
  ['package', 'the Kelvin sign alone', '\u212a'],
  ['package', 'NUL', 'a\0b'],
  ['package', 'a line feed at the end', 'ab\n'],
  ['package', '256 letters', 'n'.repeat(256)],
  ['file', 'a space in front', ' a'],
  ['file', 'a space at the end', 'a '],
  ['file', 'nothing but a space', ' '],
  ...[...'/?|<>*,\'"`'].map((character): [Kind, string, string] => ['file', character, `a${character}b`]),
  ['file', 'a tab', 'a\tb'],
  ['file', 'a line feed at the end', 'a\n'],
  ['file', 'NUL', 'a\0b'],
  ['file', 'DEL', 'a\x7fb'],
  ['file', 'a letter beyond ASCII', 'ä'],
  ['file', 'the Kelvin sign', '\u212a'],
  ['file', '256 letters', 'f'.repeat(256)],
  ['version', 'a space in front', ' 1'],
  ['version', 'a space at the end', '1 '],
  ['version', 'a no-break space in front', '\u00a01'],
  ['version', 'an ideographic space at the end', '1\u3000'],
  ['version', 'an en quad alone', '\u2000'],
  ['version', 'a tab', '1\t2'],
  ['version', 'a line feed', '1\n2'],
  ['version', 'NUL', '1\x002'],
  ['version', 'DEL', '1\x7f'],
  ['version', 'next line (Cc)', '1\u00852'],
  ['version', 'right-to-left override', '1\u202e2'],
  ['version', 'left-to-right isolate', '1\u20662'],
  ['version', 'zero width space', '1\u200b2'],
  ['version', 'zero width joiner', '1\u200d2'],
  ['version', 'byte order mark', '\ufeff1'],
  ['version', 'soft hyphen', '1\u00ad2'],
  ['version', 'tag letter', '1\u{e0041}'],
  ['version', 'line separator', '1\u20282'],
  ['version', 'paragraph separator', '1\u20292'],
  ['version', 'unassigned', '1\u0378'],
  ['version', 'no character at all', '1\uffff'],
  ['version', 'a slash', '1/2'],
  ['version', '256 letters', 'v'.repeat(256)],
  ['version', '256 code points beyond the first plane', '😀'.repeat(256)],
]

/** Bytes that are not UTF-8, already escaped. */
const notUtf8 = ['%ff', 'a%ffb', '%c3%28', '%c0%af', '%ed%a0%80', '%f5%80%80%80', '%e2%82']

describe('names', () => {
  test.each(allowed)('a %s may be called %j', async (kind, name) => {
    const target = kinds[kind].target(escaped(name))
    expect(await refusal(await send('PUT', target))).toEqual([201, ''])
    expect((await send('GET', target)).body.toString()).toBe('x')
    expect((await send('DELETE', target)).status).toBe(204)
  })

  test.each(refused)('a %s may not hold %s', async (kind, _, name) => {
    const { target, sentence } = kinds[kind]
    expect(await refusal(await send('PUT', target(escaped(name))))).toEqual([400, sentence])
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      expect([method, (await send(method, target(escaped(name)))).status]).toEqual([method, 404])
    }
  })

  test.each(Object.keys(kinds) as Kind[])('a %s must be UTF-8', async (kind) => {
    const { target, sentence } = kinds[kind]
    for (const name of notUtf8) {
      expect([name, ...(await refusal(await send('PUT', target(name))))]).toEqual([name, 400, sentence])
      for (const method of ['GET', 'HEAD', 'DELETE']) {
        expect([name, method, (await send(method, target(name))).status]).toEqual([name, method, 404])
      }
    }
  })

  test('an unescaped # is part of a name, as a target has no fragment', async () => {
    const escapedToo = (target: string) => target.replaceAll('#', '%23')
    for (const target of [`${base}/hash/2.0/x#1.bin`, `${base}/hash/1.0#rc/a.txt`]) {
      expect((await send('PUT', target)).status).toBe(201)
      expect((await send('GET', escapedToo(target))).body.toString()).toBe('x')
    }
    expect((await send('PUT', `${base}/hash/1.0/b.txt`)).status).toBe(201)
    expect((await send('DELETE', `${base}/hash/1.0#other/a.txt`)).status).toBe(404)
    expect((await send('GET', `${base}/hash/1.0/b.txt`)).status).toBe(200)
    expect((await send('GET', `${base}/hash/2.0/x`)).status).toBe(404)
    expect(await refusal(await send('PUT', `${base}/hash/1.0/x#%zz`))).toEqual([400, expect.stringContaining('%')])
  })

  test('a version to delete that cannot exist is 404', async () => {
    for (const name of ['%00', '%ff', '%20', '1%2F2', 'v'.repeat(256), '-/-', '%E2%84%AA/1']) {
      const path = name.includes('/') ? name : `versions/${name}`
      expect([name, ...(await refusal(await send('DELETE', `${base}/${path}`)))]).toEqual([
        name,
        404,
        'package does not exist',
      ])
    }
  })

  test('an owner that cannot exist is 404 by every method', async () => {
    for (const owner of ['%ff', '%00', 'a%2Fb', '-', 'o'.repeat(41), 'o'.repeat(10_000), '%E2%84%AA', 'a%20b']) {
      for (const method of ['PUT', 'GET', 'DELETE']) {
        const answer = await send(method, `/api/packages/${owner}/generic/n/1/f`)
        expect([owner, method, ...(await refusal(answer))]).toEqual([owner, method, 404, 'Not found.'])
      }
    }
  })

  test('refusals have stored nothing', async () => {
    await using fresh = await startStowage()
    for (const [kind, , name] of refused) await send('PUT', kinds[kind].target(escaped(name)), fresh)
    expect(await stored(fresh)).toEqual(nothing)
  })
})

describe('one name in several spellings', () => {
  test.each([
    ['ASCII letters of a package', { package: 'FooBar' }, { package: 'fOObAR' }],
    ['ASCII letters of a file', { file: 'ReadMe.TXT' }, { file: 'README.txt' }],
    ['ASCII letters of a version', { version: '1.0-RC' }, { version: '1.0-rc' }],
    ['composed and decomposed', { version: 'Caf\u00e9' }, { version: 'Cafe\u0301' }],
    ['composed and decomposed, in another case', { version: '\u00c9' }, { version: 'e\u0301' }],
    ['the dotted capital I', { version: '\u0130' }, { version: 'i\u0307' }],
    ['the dotted capital I, decomposed', { version: '\u0130' }, { version: 'I\u0307' }],
    ['sigma in the middle', { version: 'ΟΣΟ' }, { version: 'οσο' }],
    ['the Kelvin sign in a version', { version: '\u212a' }, { version: 'k' }],
    ['Cyrillic', { version: 'ВЕРСИЯ' }, { version: 'версия' }],
  ])('%s', async (_, first, again) => {
    await using fresh = await startStowage()
    expect((await fresh.admin.put(first, 'first')).status).toBe(201)
    expect((await fresh.admin.put(again, 'again')).status).toBe(409)
    expect(await (await fresh.anonymous.get(again)).text()).toBe('first')
    expect(await stored(fresh)).toMatchObject({ packages: 1, versions: 1, files: 1 })
    expect((await fresh.admin.delete(again)).status).toBe(204)
    expect((await fresh.anonymous.get(first)).status).toBe(404)
  })

  test.each([
    ['a Kelvin sign is no k in a package', { package: 'kelvin' }, { package: '\u212aelvin' }],
    ['a Kelvin sign is no k in a file', { file: 'k' }, { file: '\u212a' }],
    ['a dotted capital I is no i', { version: 'i' }, { version: '\u0130' }],
    ['a dotless i is no i', { version: 'I' }, { version: '\u0131' }],
    ['a sigma at the end is a letter of its own', { version: 'ΟΔΟΣ' }, { version: 'οδος' }],
    ['a sharp s is not ss', { version: 'SS' }, { version: 'ß' }],
    ['a ligature is not its letters', { version: 'fi' }, { version: '\ufb01' }],
    ['full width is not ASCII', { version: '1' }, { version: '\uff11' }],
  ])('but %s', async (_, first, other) => {
    await stowage.admin.put(first, 'first')
    expect((await stowage.anonymous.get(other)).status).toBe(404)
    await stowage.admin.delete(first)
  })

  test('names come back as they were first spelled', async () => {
    await using fresh = await startStowage()
    await fresh.admin.put({ package: 'FooBar', version: 'Cafe\u0301-RC', file: 'ReadMe.TXT' }, 'first')
    await fresh.admin.put({ package: 'foobar', version: 'CAF\u00c9-rc', file: 'second' }, 'second')
    const address = { package: 'FOOBAR', version: 'caf\u00e9-rc', file: 'readme.txt' }
    const { headers } = await fresh.anonymous.get(address)
    expect(headers.get('content-disposition')).toBe('attachment; filename=ReadMe.TXT')
    const { read } = fresh.stowage.registry.catalogue
    expect(await read.selectFrom('packages').select('name').execute()).toEqual([{ name: 'FooBar' }])
    expect(await read.selectFrom('versions').select('version').execute()).toEqual([{ version: 'Cafe\u0301-RC' }])
  })

  test('an owner is found in any case', async () => {
    await using fresh = await startStowage()
    const ada = await fresh.user('Ada')
    expect((await ada.put({ owner: 'aDA' }, 'hers')).status).toBe(201)
    expect(await (await fresh.anonymous.get({ owner: 'ADA' })).text()).toBe('hers')
  })
})

describe('escapes', () => {
  test('%2F never splits a segment', async () => {
    expect((await send('PUT', `${base}/n/1%2Ff`)).status).toBe(405)
    expect(await refusal(await send('PUT', `${base}/n%2F1/f/x`))).toEqual([400, 'invalid package name'])
    expect(await refusal(await send('PUT', `${base}/n/1%2f2/f`))).toEqual([400, 'invalid package version'])
    expect(await refusal(await send('PUT', `${base}/n/1/d%2Ff`))).toEqual([400, 'invalid filename'])
    expect((await send('PUT', '/api%2Fpackages/admin/generic/n/1/f')).status).toBe(404)
    expect((await send('GET', `${base}/n/1/d%2Ff`)).status).toBe(404)
  })

  test('each segment is decoded once', async () => {
    await using fresh = await startStowage()
    expect((await send('PUT', `${base}/n/%2541/%252e%252e`, fresh)).status).toBe(201)
    expect((await fresh.anonymous.get({ package: 'n', version: '%41', file: '%2e%2e' })).status).toBe(200)
    expect((await fresh.anonymous.get({ package: 'n', version: 'A', file: '%2e%2e' })).status).toBe(404)
  })

  test('plain letters may be escaped, anywhere in the address', async () => {
    expect((await send('PUT', '/%61pi/packages/%41dmin/%67eneric/%6Eames/%31/%66')).status).toBe(201)
    expect((await send('GET', `${base}/names/1/f`)).status).toBe(200)
  })

  test('a plus stays a plus', async () => {
    await using fresh = await startStowage()
    expect((await send('PUT', `${base}/a+b/1+2/c+d`, fresh)).status).toBe(201)
    expect((await send('GET', `${base}/a%2Bb/1%2B2/c%2Bd`, fresh)).status).toBe(200)
    expect((await send('GET', `${base}/a+b/1%202/c+d`, fresh)).status).toBe(404)
  })

  test('a bad escape is 400, whatever the method and wherever in the path', async () => {
    await using fresh = await startStowage()
    for (const bad of ['%', '%z', '%zz', '%e', '%1', 'a%', '%%', '%%41', '%4', '%g1', '%u0041', '%-1']) {
      for (const path of [
        `${base}/${bad}/1/f`,
        `${base}/n/${bad}/f`,
        `${base}/n/1/${bad}`,
        `/api/packages/${bad}/generic/n/1/f`,
      ]) {
        for (const method of ['PUT', 'GET', 'HEAD', 'DELETE']) {
          expect([method, path, (await send(method, path, fresh)).status]).toEqual([method, path, 400])
        }
      }
    }
    expect(await stored(fresh)).toEqual(nothing)
  })

  test('what follows the path is not part of it', async () => {
    expect((await send('PUT', `${base}/query/1/f?x=%zz&y=/../`)).status).toBe(201)
    expect((await send('GET', `${base}/query/1/f?%`)).status).toBe(200)
  })
})

describe('slashes', () => {
  test.each([
    `//api/packages/admin/generic/n/1/f`,
    `/api//packages/admin/generic/n/1/f`,
    `/api/packages/admin/generic/n//1/f`,
    `/api/packages/admin/generic/n/1///f`,
    `/api/packages/admin/generic/n/1/f/`,
    `/api/packages/admin/generic/n/1/f//`,
    `//api/packages/admin//generic/n/1/f/`,
  ])('%s is the address with single slashes', async (target) => {
    expect((await send('PUT', target)).status).toBe(201)
    expect((await send('GET', `${base}/n/1/f`)).status).toBe(200)
    expect((await send('DELETE', target)).status).toBe(204)
    expect((await send('GET', target)).status).toBe(404)
  })

  test('trailing ones do not make a version a file', async () => {
    expect((await send('PUT', `${base}/n/1//`)).status).toBe(405)
  })

  test('all doubled or tripled, or many at one end, collapse too', async () => {
    const target = '/api/packages/admin/generic/sloppy/2/f'
    const doubled = target.replaceAll('/', '//')
    expect((await send('PUT', doubled)).status).toBe(201)
    const joined = [doubled, `${doubled}//`, `${doubled}/`, target.replaceAll('/', '///'), `/${doubled.slice(2)}`]
    for (const same of [...joined, `${target}/////////`, `/////////${target}`]) {
      expect({ same, status: (await send('GET', same)).status }).toEqual({ same, status: 200 })
    }
  })

  test('of a deeper address that nobody joins by accident could hide a dot segment: 404', async () => {
    for (const target of ['/a/b/c/d/e/f/g/h/i/j/k/l/m', '//api///packages//admin//generic/////n//2///f//']) {
      expect((await send('PUT', target)).status).toBe(404)
      expect((await send('GET', target)).status).toBe(404)
    }
  })

  test('doubled around dot segments lead nowhere', async () => {
    for (const dots of ['..', '%2e%2e', '.']) {
      const target = `/api/packages/admin/generic/x/${dots}/n/2`.replaceAll('/', '//')
      expect((await send('PUT', target)).status).toBe(400)
      expect((await send('GET', target)).status).toBe(404)
    }
  })
})

describe('dot segments and backslashes never reach another address', () => {
  const dots = ['.', '..', '%2e', '%2E', '%2e%2e', '%2E.', '.%2e', '%2E%2e']
  const twoUp = ['..', '%2e%2e', '%2E.', '.%2E']
  const targets = [
    ...dots.flatMap((dot) => [
      `${base}/${dot}/1/f`,
      `${base}/n/${dot}/f`,
      `${base}/n/1/${dot}`,
      `${base}/n/1/f/${dot}`,
      `/${dot}/api/packages/admin/generic/n/1/f`,
      `/api/packages/admin/${dot}/generic/n/1/f`,
    ]),
    ...twoUp.flatMap((up) => [
      `${base}/x/${up}/n/1/f`,
      `${base}/n/x/${up}/1/f`,
      `${base}/n/1/x/${up}/f`,
      `/x/${up}/api/packages/admin/generic/n/1/f`,
      `//x/${up}//api/packages/admin/generic/n/1/f`,
      `//x/..//n/1/f`,
      `/api/packages/other/${up}/admin/generic/n/1/f`,
      `/a/b/c/d/e/f/g/h/${`${up}/`.repeat(8)}api/packages/admin/generic/n/1/f`,
    ]),
    ...['\\', '%5c', '%5C'].flatMap((backslash) => [
      `${base}/a${backslash}b/1/f`,
      `${base}/n/a${backslash}b/f`,
      `${base}/n/1/a${backslash}b`,
      `${base}/n/1/f${backslash}`,
      `${base}/n/1${backslash}f`,
      `${base}${backslash}n${backslash}1${backslash}f`,
      `${backslash}api/packages/admin/generic/n/1/f`.replace(/^/, '/'),
      `${base}/x/..${backslash}n/1/f`,
    ]),
  ]

  test('PUT is 400, everything else 404, and nothing is made or lost', async () => {
    await using fresh = await startStowage({ replace: { addresses: 'every' } })
    for (const target of targets) {
      expect([target, (await send('PUT', target, fresh)).status]).toEqual([target, 400])
    }
    expect(await stored(fresh)).toEqual(nothing)

    expect((await send('PUT', `${base}/n/1/f`, fresh)).status).toBe(201)
    for (const target of targets) {
      for (const method of ['GET', 'HEAD', 'DELETE']) {
        expect([method, target, (await send(method, target, fresh)).status]).toEqual([method, target, 404])
      }
    }
    expect((await send('GET', `${base}/n/1/f`, fresh)).status).toBe(200)
    expect(await stored(fresh)).toMatchObject({ packages: 1, versions: 1, files: 1 })
  })

  test('three dots, and dots inside a name, are ordinary', async () => {
    for (const name of ['...', '..a', 'a..b', '.a']) {
      expect([name, (await send('PUT', `${base}/${name}/${name}/${name}`)).status]).toEqual([name, 201])
    }
  })
})
