import { describe, expect, test } from 'bun:test'
import { relyingParty } from './relying-party.ts'

describe('the relying party', () => {
  test.each([
    ['https://packages.example.com', 'packages.example.com', 'https://packages.example.com'],
    ['https://Packages.EXAMPLE.com:8443/stowage', 'packages.example.com', 'https://packages.example.com:8443'],
    ['https://example.com:443/', 'example.com', 'https://example.com'],
    ['https://intranet', 'intranet', 'https://intranet'],
    ['http://localhost:3000', 'localhost', 'http://localhost:3000'],
    ['http://packages.localhost:3000', 'packages.localhost', 'http://packages.localhost:3000'],
    ['https://bücher.example', 'xn--bcher-kva.example', 'https://xn--bcher-kva.example'],
    ['https://1.2.3.4.example.com', '1.2.3.4.example.com', 'https://1.2.3.4.example.com'],
  ])('at %s is %s', (url, id, origin) => {
    expect(relyingParty(url)).toEqual({ id, origin })
  })

  test.each([
    ['http://127.0.0.1:3000', 'address'],
    ['https://192.0.2.7', 'address'],
    ['https://0xc0000207', 'address'],
    ['http://[::1]:3000', 'address'],
    ['https://[2001:db8::1]', 'address'],
    ['http://packages.example.com', 'insecure'],
    ['http://notlocalhost', 'insecure'],
    ['http://localhost.example.com', 'insecure'],
  ])('does not exist at %s: %s', (url, why) => {
    expect(relyingParty(url)).toBe(why as 'address' | 'insecure')
  })
})
