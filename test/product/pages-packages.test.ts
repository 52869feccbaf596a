import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Browser } from '../support/browser.ts'
import { type Client, startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage
let ada: Client
let stranger: Browser
let adas: Browser
let eves: Browser
/** A name that would do harm where nothing is quoted. */
const hostile = 'a;rm -rf $HOME'

const at = (name: string, ...more: string[]) =>
  `/${['ada', '-', 'packages', 'generic', name, ...more].map(encodeURIComponent).join('/')}`

beforeAll(async () => {
  stowage = await startStowage()
  ada = await stowage.user('ada')
  await stowage.user('eve')
  stranger = new Browser(stowage)
  adas = new Browser(stowage)
  eves = new Browser(stowage)
  await Promise.all([adas.signIn('ada'), eves.signIn('eve')])
  await ada.put({ version: '1.0', file: 'tool.zip' }, 'first')
  await ada.put({ version: '2.0', file: hostile }, '0123456789')
  await say('tool', {
    description: '<b>Does</b> things & more',
    readme: '# Hello\n\n<script>alert(1)</script>\n\n[site](https://a.example/) ![shot](https://a.example/s.png)',
    homepage: 'https://tool.example.com/docs',
    repository_url: 'https://git.example.com/tool',
    labels: ['cli', 'rope'],
  })
})

afterAll(() => stowage[Symbol.asyncDispose]())

async function say(name: string, texts: Record<string, unknown>): Promise<void> {
  const path = `/api/v1/packages/ada/generic/${name}/-/metadata`
  const response = await ada.fetch(path, { method: 'PATCH', body: JSON.stringify(texts) })
  if (response.status !== 200) throw new Error(await response.text())
}

async function page(browser: Browser, path: string, status = 200): Promise<string> {
  const response = await browser.fetch(path)
  const type = response.headers.get('content-type')
  expect([path, response.status, type]).toEqual([path, status, 'text/html; charset=utf-8'])
  return response.text()
}

function unescaped(text: string): string {
  const signs: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
  return text.replaceAll(/&(lt|gt|quot|#39|amp);/g, (_, name) => signs[name] ?? '')
}

/** What a reader finds between the tags of the page's own part. */
function textOf(html: string): string {
  const main = /<main[\s\S]*<\/main>/.exec(html)?.[0] ?? ''
  return unescaped(main.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' '))
}

/** Commands of a page, as they are copied. */
function commandsIn(html: string, program: string): string[] {
  const all = [...html.matchAll(/data-copy="([^"]*)"/g)].map(([, text = '']) => unescaped(text))
  return all.filter((text) => text.startsWith(program))
}

function hrefsIn(html: string): string[] {
  return [...html.matchAll(/ href="([^"]*)"/g)].map(([, href = '']) => unescaped(href))
}

/** Of a file, which a page names before its address. */
async function idOf(name: string, version: string, file: string): Promise<number> {
  const html = await page(adas, at(name, '-', 'version', version))
  const files = [...html.matchAll(/href="[^"]*\/files\/(\d+)"[^>]*>(?:<svg[\s\S]*?<\/svg>)?<code[^>]*>([^<]*)</g)]
  return Number(files.find(([, , text = '']) => unescaped(text) === file)?.[1] ?? 0)
}

describe('the page of a package', () => {
  test('begins with name, description, newest version and a command that works', async () => {
    const html = await page(stranger, at('tool'))
    expect(textOf(html)).toMatch(
      /^ ada \/ tool tool Public <b>Does<\/b> things & more 2\.0 is the newest version, published just now .*? by ada curl -fL -o 'a;rm -rf \$HOME' http/,
    )
    const [command = ''] = commandsIn(html, 'curl')
    expect(command.endsWith('/api/packages/ada/generic/tool/2.0/a%3Brm%20-rf%20%24HOME')).toBe(true)
  })

  test('shows what is written about it, and runs nothing of it', async () => {
    const html = await page(stranger, at('tool'))
    expect(html).toContain('<h3 id="readme-hello">Hello</h3>')
    expect(html).not.toContain('alert(1)')
    expect(html).not.toContain('<img')
    expect(html).toContain('<a href="https://a.example/s.png" rel="noopener nofollow">shot</a>')
    expect(html).toContain('&lt;b&gt;Does&lt;/b&gt; things &amp; more')
    expect(textOf(html)).toMatch(/cli rope/)
    for (const address of ['https://tool.example.com/docs', 'https://git.example.com/tool']) {
      expect(html).toMatch(new RegExp(`<a href="${address}" rel="noopener nofollow"`))
    }
  })

  test('says nothing of a README to who may not write one', async () => {
    await ada.put({ package: 'bare' }, 'x')
    expect(textOf(await page(eves, at('bare')))).not.toContain('README')
    expect(hrefsIn(await page(adas, at('bare')))).toContain(`${at('bare')}/-/edit`)
  })

  test('leads those who may write to what they may do, and nobody else', async () => {
    const actions = ['/ada/-/upload?package=tool', `${at('tool')}/-/edit`, `${at('tool')}/-/delete`]
    expect(hrefsIn(await page(adas, at('tool')))).toEqual(expect.arrayContaining(actions))
    for (const browser of [stranger, eves]) {
      const hrefs = hrefsIn(await page(browser, at('tool')))
      expect(hrefs.filter((href) => actions.includes(href))).toEqual([])
    }
  })

  test('shows the newest versions, and leads to all', async () => {
    for (const number of Array.from({ length: 12 }).keys())
      await ada.put({ package: 'many', version: `1.${number}` }, 'x')
    const html = await page(stranger, at('many'))
    expect(hrefsIn(html)).toContain(at('many', '1.11'))
    expect(hrefsIn(html)).not.toContain(at('many', '1.1'))
    expect(textOf(html)).toContain('All 12 versions')
  })

  test('counts downloads per day, as a picture and as a table', async () => {
    await ada.put({ package: 'counted' }, 'x')
    expect(textOf(await page(stranger, at('counted')))).toContain('Nobody has downloaded it in the last 30 days.')
    for (const _ of [1, 2, 3]) await ada.get({ package: 'counted' })
    await stowage.stowage.flushDownloads()
    const html = await page(stranger, at('counted'))
    expect(html).toMatch(/<svg[^>]* role="img" aria-label="Downloads per day from [^"]*: 3 together, 3 at most\./)
    expect(html.match(/<th scope="row"/g)).toHaveLength(30)
    expect(html).not.toContain('style=')
  })

  test('without a version says what to type next', async () => {
    await ada.put({ package: 'gone' }, 'x')
    await say('gone', { description: 'Kept' })
    await ada.deleteVersion({ package: 'gone' })
    expect(textOf(await page(stranger, at('gone')))).toContain('No version is published.')
    const html = await page(adas, at('gone'))
    expect(commandsIn(html, 'curl')[0]).toContain('-T my-file.zip')
  })

  test('of no package, and of an owner who is hidden, is not there', async () => {
    const hid = await stowage.user('hid', { visibility: 'private' })
    await hid.put({}, 'x')
    await page(stranger, at('none'), 404)
    const path = '/hid/-/packages/generic/tool'
    for (const more of ['', '/versions', '/1.0']) {
      expect(textOf(await page(stranger, path + more, 404))).toContain('Sign in')
      await page(eves, path + more, 404)
    }
    const hids = new Browser(stowage)
    await hids.signIn('hid')
    const html = await page(hids, path)
    expect(commandsIn(html, 'curl')[0]).toContain('-H "Authorization: token $STOWAGE_TOKEN"')
    expect(textOf(html)).toContain('Private')
  })

  test('is found under the name that its owner had before', async () => {
    await (await stowage.user('olga')).put({ version: 'ü%' }, 'x')
    await stowage.admin.post('/api/v1/admin/users/olga/rename', { new_username: 'inga' })
    const response = await stranger.fetch('/olga/-/packages/generic/tool/%C3%BC%25?x=1')
    expect([response.status, response.headers.get('location')]).toEqual([
      307,
      '/inga/-/packages/generic/tool/%C3%BC%25?x=1',
    ])
    await page(stranger, '/inga/-/packages/generic/tool/%C3%BC%25')
  })
})

describe('all versions', () => {
  const versions = ['1.9', '1.10', '1.100', '2.0-RC', '100%', '10_0']

  beforeAll(async () => {
    for (const [index, version] of versions.entries()) {
      await ada.put({ package: 'list', version }, 'x'.repeat(100 - index))
    }
    for (let index = 0; index < 35; index++) await ada.put({ package: 'long', version: `0.${index}` }, 'x')
  })

  async function listed(query: string, name = 'list'): Promise<string[]> {
    const html = await page(stranger, `${at(name, 'versions')}${query}`)
    const rows = html.split('<tbody>')[1]?.split('</tbody>')[0] ?? ''
    return [...rows.matchAll(/<bdi>(.*?)<\/bdi>/g)].map(([, text = '']) => unescaped(text))
  }

  test.each([
    ['', ['10_0', '100%', '2.0-RC', '1.100', '1.10', '1.9']],
    ['?order=asc', versions],
    ['?sort=size', versions],
    ['?sort=version&q=1.', ['1.100', '1.10', '1.9']],
    ['?q=1.1', ['1.100', '1.10']],
    ['?q=rc', ['2.0-RC']],
    ['?q=%25', ['100%']],
    ['?q=_', ['10_0']],
    ['?q=.&sort=version', ['2.0-RC', '1.100', '1.10', '1.9']],
    ['?q=1.1&sort=version&order=asc', ['1.10', '1.100']],
    ['?q=none', []],
    ['?q=%00', []],
    [`?q=${'9'.repeat(5_000)}`, []],
    ['?sort=nothing&page=x', ['10_0', '100%', '2.0-RC', '1.100', '1.10', '1.9']],
  ])('%s', async (query, expected) => {
    expect(await listed(query)).toEqual(expected)
  })

  test('are turned page by page, with or without a filter', async () => {
    const first = await listed('', 'long')
    const second = await listed('?page=2', 'long')
    expect([first.length, second.length, new Set([...first, ...second]).size]).toEqual([30, 5, 35])
    expect(await listed('?q=0.&page=2', 'long')).toEqual(second)
    const html = await page(stranger, `${at('long', 'versions')}?q=0.&sort=size`)
    expect(textOf(html)).toContain('35 of 35 versions with “0.”')
    expect(hrefsIn(html)).toContain(`${at('long', 'versions')}?q=0.&sort=size&page=2`)
    expect(textOf(await page(stranger, `${at('long', 'versions')}?page=9`))).toContain('There is nothing on this page.')
  })

  test('keep what was looked for in the field', async () => {
    const html = await page(stranger, `${at('list', 'versions')}?q=${encodeURIComponent('"><b>')}`)
    expect(html).toContain('value="&quot;&gt;&lt;b&gt;"')
    expect(html).not.toContain('"><b>')
  })
})

describe('the page of a version', () => {
  const odd = [
    'versions',
    'Versions',
    '-',
    '100%',
    '%41',
    '%2F',
    'إصدار-🎉',
    'a b',
    "it's `$(x)`",
    '9'.repeat(255),
    'é?#&=+',
    'files',
  ]

  test.each(odd)('called %j', async (version) => {
    const name = `odd-${odd.indexOf(version)}`
    await ada.put({ package: name, version, file: 'a.bin' }, `bytes of ${version}`)
    const list = await page(stranger, `${at(name, 'versions')}?q=${encodeURIComponent(version)}`)
    const [link = ''] = hrefsIn(list.split('<tbody>')[1] ?? '').filter((href) => href.startsWith('/'))
    const html = await page(stranger, link)
    expect(unescaped(html)).toContain(`<bdi class="font-mono font-medium tracking-normal">${version}</bdi></h1>`)
    const [file = ''] = hrefsIn(html).filter((href) => href.includes('/files/'))
    const response = await stranger.fetch(file)
    expect([response.status, await response.text()]).toEqual([200, `bytes of ${version}`])
  })

  test('that is called as a page is stands at a longer address', async () => {
    for (const version of ['versions', '-']) await ada.put({ package: 'odd', version, file: 'a.bin' }, version)
    expect(textOf(await page(stranger, at('odd', 'versions')))).toContain('Versions of odd')
    expect(textOf(await page(stranger, at('odd', '-', 'version', 'versions')))).toContain('a.bin')
    expect(textOf(await page(stranger, at('odd', '-')))).toContain('a.bin')
  })

  test('shows each file with its digests and commands for each tool', async () => {
    const html = await page(stranger, at('tool', '2.0'))
    const sha256 = new Bun.CryptoHasher('sha256').update('0123456789').digest('hex')
    expect(textOf(html)).toContain(sha256)
    const text = textOf(html)
    for (const tool of ['curl', 'wget', 'PowerShell', 'GitHub Actions', 'Gitea Actions']) expect(text).toContain(tool)
    expect(html.match(/type="radio"/g)?.length).toBeGreaterThanOrEqual(5)
    expect(commandsIn(html, 'Invoke-WebRequest')[0]).toContain("-OutFile 'a;rm -rf $HOME'")
    expect(commandsIn(html, 'echo')[0]).toBe(`echo '${sha256}  ${hostile}' | sha256sum -c -`)
  })

  test('leads those who may write to uploading and deleting', async () => {
    const id = await idOf('tool', '2.0', hostile)
    const actions = [
      '/ada/-/upload?package=tool&version=2.0',
      `${at('tool', '-', 'version', '2.0', 'delete')}`,
      `${at('tool', '-', 'version', '2.0', 'delete', String(id))}`,
    ]
    expect(hrefsIn(await page(adas, at('tool', '2.0')))).toEqual(expect.arrayContaining(actions))
    expect(hrefsIn(await page(eves, at('tool', '2.0'))).filter((href) => actions.includes(href))).toEqual([])
  })

  test('shows the commands of the file that was chosen', async () => {
    for (const file of ['b.zip', 'c.zip']) await ada.put({ package: 'two', file }, file)
    expect(commandsIn(await page(stranger, at('two', '1.0')), 'curl -fL')[0]).toContain('b.zip')
    const path = `${at('two', '1.0')}?file=${await idOf('two', '1.0', 'c.zip')}`
    expect(commandsIn(await page(stranger, path), 'curl -fL')[0]).toContain('c.zip')
    for (const unknown of ['0', 'x', '999999']) {
      expect(commandsIn(await page(stranger, `${at('two', '1.0')}?file=${unknown}`), 'curl -fL')[0]).toContain('b.zip')
    }
  })

  test('turns the pages of many files', async () => {
    for (let index = 10; index < 45; index++) await ada.put({ package: 'crates', file: `f${index}` }, `${index}`)
    expect(textOf(await page(stranger, at('crates', '1.0')))).toContain('1 to 30 of 35')
    const html = await page(stranger, `${at('crates', '1.0')}?page=2`)
    expect(textOf(html)).toContain('f44')
    expect(textOf(html)).not.toContain('f39')
    expect(textOf(await page(stranger, `${at('crates', '1.0')}?page=3`))).toContain('There is no file on this page.')
  })

  test('that nobody made is not there', async () => {
    await page(stranger, at('tool', '3.0'), 404)
    await page(stranger, at('tool', '%00'), 404)
    await page(stranger, at('tool', 'x'.repeat(600)), 404)
  })
})

describe('a file, fetched with the browser’s session', () => {
  const pathOf = async () => at('tool', '2.0', 'files', String(await idOf('tool', '2.0', hostile)))

  test.each([
    ['GET', {}],
    ['HEAD', {}],
    ['GET', { Range: 'bytes=2-4' }],
    ['GET', { Range: 'bytes=-3' }],
    ['GET', { Range: 'bytes=99-' }],
    ['HEAD', { Range: 'bytes=2-4' }],
    ['GET', { 'If-None-Match': '*' }],
    ['GET', { 'If-Match': '"x"' }],
    ['GET', { Range: 'bytes=0-1', 'If-Range': '"x"' }],
    ['GET', { 'If-Modified-Since': 'Thu, 01 Jan 2099 00:00:00 GMT' }],
  ])('%s %j is answered as the registry does', async (method, headers) => {
    const registry = await stowage.anonymous
      .as('ada')
      .fetch(ada.path({ version: '2.0', file: hostile }), { method, headers })
    const its = await adas.fetch(await pathOf(), { method, headers: headers as Record<string, string> })
    const told = async (response: Response) => {
      const shown = Object.fromEntries(
        [...response.headers].filter(([name]) => name !== 'date' && name !== 'x-request-id'),
      )
      return [response.status, shown, (await response.text()).replace(/request id: .*/, '')]
    }
    expect(await told(its)).toEqual(await told(registry))
  })

  test('several ranges', async () => {
    const response = await stranger.fetch(await pathOf(), { headers: { Range: 'bytes=0-1,4-5' } })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-type')).toStartWith('multipart/byteranges')
    expect(await response.text()).toMatch(/\r\n\r\n01\r\n[\s\S]*\r\n\r\n45\r\n/)
  })

  test('is never shown as a page', async () => {
    await ada.put({ package: 'html', file: 'index.html' }, '<script>alert(1)</script>')
    const id = await idOf('html', '1.0', 'index.html')
    const response = await adas.fetch(at('html', '1.0', 'files', String(id)))
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(response.headers.get('content-disposition')).toStartWith('attachment')
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    await response.body?.cancel()
  })

  test('is counted', async () => {
    await ada.put({ package: 'pulled' }, 'x')
    const path = at('pulled', '1.0', 'files', String(await idOf('pulled', '1.0', 'tool.bin')))
    await (await stranger.fetch(path)).text()
    await (await stranger.fetch(path, { method: 'HEAD' })).text()
    await stowage.stowage.flushDownloads()
    const told = await ada.fetch('/api/v1/packages/ada/generic/pulled/-/downloads')
    expect(await told.json()).toMatchObject({ total: 1 })
  })

  test('of another version, or of nobody, is not there', async () => {
    const id = String(await idOf('tool', '2.0', hostile))
    await page(stranger, at('tool', '1.0', 'files', id), 404)
    await page(stranger, at('two', '2.0', 'files', id), 404)
    for (const wrong of ['0', '-1', '1e3', 'x', '9'.repeat(30), '01']) {
      await page(stranger, at('tool', '2.0', 'files', wrong), 404)
    }
  })

  test('of an owner who is hidden is there for those who may see him', async () => {
    const sly = await stowage.user('sly', { visibility: 'limited' })
    await sly.put({}, 'sly bytes')
    const files = await (await sly.fetch('/api/v1/packages/sly/generic/tool/1.0/files')).json()
    const path = `/sly/-/packages/generic/tool/1.0/files/${(files as { id: number }[])[0]?.id}`
    await page(stranger, path, 404)
    expect(await (await eves.fetch(path)).text()).toBe('sly bytes')
    // A token or a password is a credential of programs, and none here.
    const response = await fetch(stowage.url + path, {
      headers: { Authorization: `Basic ${btoa('sly:sly-Pass-1234')}` },
    })
    expect(response.status).toBe(404)
  })
})

describe('a command', () => {
  const names = [
    hostile,
    '-rf',
    '~',
    '-',
    '#1',
    'a[1-3]{x}',
    '$(id)',
    `\${{ x }}`,
    'a=b!c',
    '%41&',
    '(a)',
    '=x',
    '^;:@',
  ]
  let folder = ''

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stowage-paste-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  async function paste(command: string, env: Record<string, string> = {}): Promise<string> {
    const child = Bun.spawn(['sh', '-c', command], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
      stderr: 'pipe',
    })
    const [out, wrong, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    if (code !== 0) throw new Error(`${command}: ${code} ${wrong}`)
    return out
  }

  test.each(['curl', 'wget'])('of %s fetches a file of any name, and another checks it', async (program) => {
    if (!Bun.which(program)) return
    const version = `it's "$(id)" \`${program}\` 🎉%41`
    for (const file of names) await ada.put({ package: 'paste', version, file }, `bytes of ${file}`)
    for (const file of names) {
      const html = await page(stranger, `${at('paste', version)}?file=${await idOf('paste', version, file)}`)
      await paste(commandsIn(html, program === 'curl' ? 'curl -fL' : 'wget -O')[0] ?? '')
      expect(await readdir(folder)).toEqual([file])
      expect(await Bun.file(join(folder, file)).text()).toBe(`bytes of ${file}`)
      await paste(commandsIn(html, 'echo')[0] ?? '')
      await rm(join(folder, file))
    }
  })

  test.each(['curl', 'wget'])('of %s publishes another file, with a token of the environment', async (program) => {
    if (!Bun.which(program)) return
    const { secret } = await ada.token(['write:package'])
    const version = `${program} '&'`
    await ada.put({ package: 'paste', version, file: 'first' }, 'x')
    const html = await page(adas, at('paste', version))
    await Bun.write(join(folder, 'my-file.zip'), 'pasted')
    const command = commandsIn(html, program === 'curl' ? 'curl --fail-with-body' : 'wget --method=PUT')[0] ?? ''
    await paste(command, { STOWAGE_TOKEN: secret })
    expect(await (await ada.get({ package: 'paste', version, file: 'my-file.zip' })).text()).toBe('pasted')
    expect(html).not.toContain(secret)
    await rm(join(folder, 'my-file.zip'))
  })
})
