import { expect, test } from 'bun:test'
import { readSettings } from './config.ts'
import { banner, publicUrlMissing } from './serve.ts'

const lineOf = (text: string, name: string) => new RegExp(`^ {2}${name} +(.*)$`, 'm').exec(text)?.[1]

test.each([
  ['http://127.0.0.1:3000', {}, 'http://127.0.0.1:3000'],
  ['http://0.0.0.0:3000', {}, 'http://127.0.0.1:3000'],
  ['https://[::]:3000', {}, 'https://[::1]:3000'],
  ['http://0.0.0.0:3000', { STOWAGE_PUBLIC_URL: 'https://example.com/a/' }, 'https://example.com/a'],
])('the banner of %s with %j shows an address that can be opened', (url, environment, address) => {
  const text = banner(readSettings(environment), { url }, { kind: 'shown', username: 'admin', password: 'secret' })
  expect(lineOf(text, 'address')).toBe(address)
  expect(text).toContain(`\n  ${address}/user/login\n`)
  expect(text).toEndWith(`\nlistening on ${url}\n`)
})

test('the banner shows how many workers there are, where there are several', () => {
  const workers = (count: string) =>
    lineOf(banner(readSettings({ STOWAGE_WORKERS: count }), { url: 'http://a:1' }, { kind: 'exists' }), 'workers')
  expect([workers('1'), workers('3')]).toEqual([undefined, '3'])
})

const proxied = { STOWAGE_TRUSTED_PROXIES: 'loopback' }
test.each([
  ['http://127.0.0.1:3000', {}, false],
  ['http://192.0.2.1:3000', {}, false],
  ['http://0.0.0.0:3000', {}, true],
  ['http://[::]:3000', {}, true],
  ['http://127.0.0.1:3000', proxied, true],
  ['http://127.0.0.1:3000', { ...proxied, STOWAGE_PUBLIC_URL: 'https://example.com' }, false],
  ['http://0.0.0.0:3000', { STOWAGE_PUBLIC_URL: 'https://example.com' }, false],
])('of %s with %j it is said that links lead nowhere: %p', (url, environment, isSaid) => {
  const said = isSaid ? `STOWAGE_PUBLIC_URL is not set: links show ${url}, which leads nobody here.` : undefined
  expect(publicUrlMissing(readSettings(environment), { url })).toBe(said)
})
