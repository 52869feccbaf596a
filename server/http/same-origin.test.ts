import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Sender, sentBy } from './same-origin.ts'

const ours = 'https://packages.example.com'

function asked(headers: Record<string, string>, origin: string | undefined = undefined, method = 'POST'): Sender {
  return sentBy(new Headers(headers), { origin, method })
}

describe('a changing request comes from our own pages', () => {
  test.each<[string | undefined, Sender, string]>([
    ['same-origin', 'own-page', 'a page of this origin'],
    ['none', 'own-page', 'the person himself'],
    ['same-site', 'elsewhere', 'another host of the domain'],
    ['cross-site', 'elsewhere', 'another site'],
    ['same-origin, same-origin', 'elsewhere', 'sent twice'],
    ['same-origin, cross-site', 'elsewhere', 'two that differ'],
    ['Same-Origin', 'elsewhere', 'a token has its letter case'],
    ['"same-origin"', 'elsewhere', 'a string is no token'],
    ['same-origin;a=1', 'elsewhere', 'parameters that nobody sends'],
    ['yes', 'elsewhere', 'an unknown word'],
    ['', 'elsewhere', 'empty'],
    [undefined, 'own-page', 'not sent: the origin decides'],
  ])('Sec-Fetch-Site %p: %p (%s)', (site, expected) => {
    const headers: Record<string, string> = { Origin: ours, Host: 'packages.example.com' }
    expect(asked(site === undefined ? headers : { ...headers, 'Sec-Fetch-Site': site })).toBe(expected)
  })

  test('Sec-Fetch-Site is believed before an Origin that disagrees', () => {
    const host = { Host: 'packages.example.com' }
    expect(asked({ ...host, Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' }, ours)).toBe('own-page')
    expect(asked({ ...host, Origin: ours, 'Sec-Fetch-Site': 'cross-site' }, ours)).toBe('elsewhere')
    expect(asked({ ...host, Origin: 'null', 'Sec-Fetch-Site': 'same-origin' }, ours)).toBe('own-page')
  })

  test.each<[string, Sender, string]>([
    ['https://packages.example.com', 'own-page', 'the public origin'],
    ['https://packages.example.com:443', 'own-page', 'with the usual port'],
    ['https://Packages.Example.COM', 'own-page', 'in any letter case'],
    ['http://packages.example.com', 'elsewhere', 'another scheme'],
    ['https://packages.example.com:8443', 'elsewhere', 'another port'],
    ['https://inner:3000', 'elsewhere', 'the host of the request is not asked'],
    ['https://example.com', 'elsewhere', 'a host above'],
    ['https://a.packages.example.com', 'elsewhere', 'a host below'],
    ['https://packages.example.com.evil.example', 'elsewhere', 'a host that begins like ours'],
    ['https://packages.example.com/', 'elsewhere', 'a path: no browser sends that'],
    ['https://evil@packages.example.com', 'elsewhere', 'a user: no browser sends that'],
    ['https://packages.example.com, https://packages.example.com', 'elsewhere', 'sent twice'],
    ['packages.example.com', 'elsewhere', 'no scheme'],
    ['moz-extension://packages.example.com', 'elsewhere', 'a scheme of a browser'],
    ['null', 'elsewhere', 'a page that has no origin'],
    ['', 'elsewhere', 'empty'],
  ])('Origin %p of a server with a public address: %p (%s)', (origin, expected) => {
    expect(asked({ Origin: origin, Host: 'inner:3000' }, ours)).toBe(expected)
  })

  test.each<[string, string | undefined, Sender, string]>([
    ['http://localhost:3000', 'localhost:3000', 'own-page', 'the same host and port'],
    ['http://LocalHost:3000', 'localHOST:3000', 'own-page', 'in any letter case'],
    ['http://stowage', 'stowage:80', 'own-page', 'the usual port of http, said aloud by one'],
    ['http://stowage:80', 'stowage', 'own-page', 'and by the other'],
    ['https://stowage', 'stowage:443', 'own-page', 'the usual port of https'],
    ['https://stowage', 'stowage', 'own-page', 'TLS that ended at a proxy'],
    ['https://stowage', 'stowage:80', 'elsewhere', 'not the usual port of https'],
    ['http://[::1]:3000', '[::1]:3000', 'own-page', 'IPv6'],
    ['http://localhost:3001', 'localhost:3000', 'elsewhere', 'another port'],
    ['http://evil.example', 'stowage', 'elsewhere', 'another host'],
    ['http://stowage', undefined, 'elsewhere', 'no Host'],
    ['http://null', undefined, 'elsewhere', 'no Host, and a host of that name'],
    ['http://stowage', '', 'elsewhere', 'an empty Host'],
    ['http://stowage', 'evil@stowage', 'elsewhere', 'a user in the Host'],
    ['http://stowage', 'stowage/a', 'elsewhere', 'a path in the Host'],
    ['http://stowage', 'stowage:99999', 'elsewhere', 'a port that is none'],
    ['null', 'null', 'elsewhere', 'no origin, whatever the host is called'],
  ])('Origin %p, Host %p, without a public address: %p (%s)', (origin, host, expected) => {
    expect(asked(host === undefined ? { Origin: origin } : { Origin: origin, Host: host })).toBe(expected)
  })

  test('a program that is no browser says nothing of pages', () => {
    expect(asked({ Host: 'stowage' })).toBe('no-browser')
    expect(asked({ Host: 'stowage' }, ours)).toBe('no-browser')
    expect(asked({ Host: 'stowage', Referer: 'https://evil.example/' }, ours)).toBe('no-browser')
  })

  test.each<[string, Sender]>([
    ['GET', 'own-page'],
    ['HEAD', 'own-page'],
    ['OPTIONS', 'own-page'],
    ['POST', 'elsewhere'],
    ['PUT', 'elsewhere'],
    ['PATCH', 'elsewhere'],
    ['DELETE', 'elsewhere'],
    ['PROPFIND', 'elsewhere'],
    ['get', 'elsewhere'],
  ])('%s from another site: %p', (method, expected) => {
    expect(asked({ Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }, ours, method)).toBe(expected)
  })
})

describe('whatever the headers hold', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl(),
    fc.constantFrom('null', 'https://', 'http://[', 'http://%', 'https://packages.example.com:443', 'same-origin'),
  )
  const header = fc.option(word)

  test('there is an answer', () => {
    fc.assert(
      fc.property(
        header,
        header,
        header,
        fc.option(word, { nil: undefined }),
        word,
        (site, origin, host, own, method) => {
          const headers = new Map([
            ['sec-fetch-site', site],
            ['origin', origin],
            ['host', host],
          ])
          const sender = sentBy({ get: (name) => headers.get(name) ?? null }, { origin: own, method })
          expect(['own-page', 'elsewhere', 'no-browser']).toContain(sender)
        },
      ),
    )
  })

  test('another host than ours is never us', () => {
    const other = fc.webUrl().map((url) => new URL(url).origin)
    fc.assert(
      fc.property(other, (origin) => {
        expect(asked({ Origin: origin, Host: 'packages.example.com' })).toBe('elsewhere')
        expect(asked({ Origin: origin, Host: new URL(origin).host }, ours)).toBe('elsewhere')
      }),
    )
  })
})
