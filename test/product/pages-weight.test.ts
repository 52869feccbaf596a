import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startStowage, type TestStowage } from '../support/stowage.ts'

let stowage: TestStowage

beforeAll(async () => {
  stowage = await startStowage()
  await (await stowage.user('ada')).put({}, 'x')
})
afterAll(() => stowage[Symbol.asyncDispose]())

/** Bytes as they come over the network. */
async function weightOf(path: string): Promise<number> {
  const response = await fetch(stowage.url + path, { headers: { 'Accept-Encoding': 'br, gzip' }, decompress: false })
  expect([path, response.status, response.headers.get('content-encoding')]).toEqual([path, 200, 'br'])
  return (await response.arrayBuffer()).byteLength
}

test.each(['', '/versions', '/1.0'])('the page …/tool%s is light', async (more) => {
  const html = await (await fetch(`${stowage.url}/ada/-/packages/generic/tool${more}`)).text()
  const named = (pattern: RegExp) => [...html.matchAll(pattern)].map(([, path = '']) => path)
  const sheets = named(/<link rel="stylesheet" href="([^"]+)"/g)
  const scripts = named(/<script [^>]*src="([^"]+)"/g)
  expect([sheets.length > 0, scripts.length > 0]).toEqual([true, true])
  const sum = async (paths: string[]) =>
    (await Promise.all(paths.map(weightOf))).reduce((all, weight) => all + weight, 0)
  expect(await sum(sheets)).toBeLessThan(60 * 1024)
  expect(await sum(scripts)).toBeLessThan(30 * 1024)
  // All else that a page names is its own: nothing of it comes from elsewhere, or stands inline.
  expect(html).not.toMatch(/<style|<script>| style=| on[a-z]+=|src="(?!\/-\/assets\/)/)
})
