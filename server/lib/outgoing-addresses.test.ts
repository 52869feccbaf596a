import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type AllowedHosts, literalAddress, mayConnect, parseAllowedHosts } from './outgoing-addresses.ts'

function allowing(text: string): AllowedHosts {
  const parsed = parseAllowedHosts(text)
  if ('wrong' in parsed) throw new Error(`cannot be read: ${parsed.wrong}`)
  return parsed
}

const nobody = allowing('')
const own = new Set(['203.0.114.7', '2606:4700::7'])

describe('where nothing is allowed', () => {
  test.each([
    ['8.8.8.8', true],
    ['2606:4700:4700::1111', true],
    ['::ffff:8.8.8.8', true],
    ['64:ff9b::808:808', true],
    ['2002:808:808::1', true],
    ['0.0.0.0', false],
    ['0.1.2.3', false],
    ['10.0.0.1', false],
    ['100.64.0.1', false],
    ['127.0.0.1', false],
    ['127.255.255.254', false],
    ['169.254.169.254', false],
    ['172.16.0.1', false],
    ['172.31.255.255', false],
    ['172.32.0.1', true],
    ['192.0.0.8', false],
    ['192.0.2.1', false],
    ['192.88.99.1', false],
    ['192.168.1.1', false],
    ['198.18.0.1', false],
    ['198.51.100.1', false],
    ['203.0.113.1', false],
    ['224.0.0.1', false],
    ['240.0.0.1', false],
    ['255.255.255.255', false],
    ['::', false],
    ['::1', false],
    ['::ffff:127.0.0.1', false],
    ['::ffff:7f00:1', false],
    ['::127.0.0.1', false],
    ['::ffff:0:7f00:1', false],
    ['64:ff9b::7f00:1', false],
    ['64:ff9b::a00:1', false],
    ['64:ff9b:1::808:808', false],
    ['2002:7f00:1::1', false],
    ['2002:a00:1::1', false],
    ['2001::1', false],
    ['2001:db8::1', false],
    ['100::1', false],
    ['3fff::1', false],
    ['4000::1', false],
    ['5f00::1', false],
    ['fc00::1', false],
    ['fd12:3456::1', false],
    ['fe80::1', false],
    ['fe80::1%eth0', false],
    ['fec0::1', false],
    ['ff02::1', false],
    // This machine's own.
    ['203.0.114.7', false],
    ['::ffff:203.0.114.7', false],
    ['2606:4700::7', false],
    ['2606:4700:0::7', false],
    ['203.0.114.8', true],
    // What is no address.
    ['', false],
    ['127.1', false],
    ['0177.0.0.1', false],
    ['8.8.8', false],
    ['localhost', false],
    ['1.2.3.4.5', false],
  ])('%s: %p', (address, is) => {
    expect(mayConnect(nobody, 'hooks.example.com', address, own)).toBe(is)
  })

  test('the interfaces of this machine are known', () => {
    expect(mayConnect(nobody, 'localhost', '127.0.0.1')).toBe(false)
  })
})

describe('what is allowed', () => {
  test.each<[string, string, string, boolean]>([
    ['ci.internal', 'ci.internal', '10.0.0.1', true],
    ['ci.internal', 'CI.Internal.', '127.0.0.1', true],
    ['ci.internal', 'evil.ci.internal', '10.0.0.1', false],
    ['*.internal', 'ci.internal', '10.0.0.1', true],
    ['*.internal', 'a.b.internal', '10.0.0.1', true],
    ['*.internal', 'internal', '10.0.0.1', false],
    ['*.internal', 'notinternal', '10.0.0.1', false],
    ['10.0.0.0/8', 'anything', '10.255.0.1', true],
    ['10.0.0.0/8', 'anything', '::ffff:10.0.0.1', true],
    ['10.0.0.0/8', 'anything', '11.0.0.1', true],
    ['10.0.0.0/8', 'anything', '192.168.0.1', false],
    ['127.0.0.1', '127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', 'localhost', '127.0.0.1', true],
    ['127.0.0.1', 'localhost', '127.0.0.2', false],
    ['127.0.0.1', 'localhost', '::1', false],
    ['::1', '[::1]', '::1', true],
    ['[::1]', '[::1]', '::1', true],
    ['fd00::/8', 'x', 'fd12::1', true],
    ['fd00::/8', 'x', 'fe80::1', false],
    ['::ffff:10.0.0.1', 'x', '10.0.0.1', true],
    ['a.example, 10.0.0.1 b_c.example', 'b_c.example', '10.0.0.2', true],
    ['203.0.114.7', 'x', '203.0.114.7', true],
  ])('%p: %s at %s: %p', (text, host, address, is) => {
    expect(mayConnect(allowing(text), host, address, own)).toBe(is)
  })

  test.each(['*', '*.', 'a..b', '-a', 'a/8', '10.0.0.0/33', '10.0.0.0/', '10.1', '::ffff:10.0.0.0/104', 'fd00::/129'])(
    '%p cannot be read',
    (text) => {
      expect(parseAllowedHosts(`good.example ${text}`)).toEqual({ wrong: [text] })
    },
  )
})

test('every spelling of an address in a URL is that address', () => {
  const byte = fc.integer({ min: 0, max: 255 })
  fc.assert(
    fc.property(fc.tuple(byte, byte, byte, byte), fc.constantFrom('decimal', 'octal', 'hex'), (bytes, base) => {
      const plain = bytes.join('.')
      const [a = 0, b = 0, c = 0, d = 0] = bytes
      const spell = (number: number) =>
        ({ decimal: `${number}`, octal: `0${number.toString(8)}`, hex: `0x${number.toString(16)}` })[base]
      const whole = ((a * 256 + b) * 256 + c) * 256 + d
      const spellings = [
        [a, b, c, d].map(spell).join('.'),
        [a, b, c * 256 + d].map(spell).join('.'),
        [a, (b * 256 + c) * 256 + d].map(spell).join('.'),
        spell(whole),
        `${plain}.`,
        `[::ffff:${plain}]`,
      ]
      for (const spelling of spellings) {
        const host = new URL(`http://${spelling}/`).hostname
        expect(literalAddress(host)).toBe(plain)
        expect(mayConnect(nobody, host, literalAddress(host) ?? '', own)).toBe(mayConnect(nobody, 'x', plain, own))
      }
    }),
  )
})

test('an IPv4 address that IPv6 wraps is judged as what it is', () => {
  fc.assert(
    fc.property(fc.ipV4(), (plain) => {
      const [a = 0, b = 0, c = 0, d = 0] = plain.split('.').map(Number)
      const words = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
      for (const wrapped of [`::ffff:${plain}`, `64:ff9b::${words}`, `2002:${words}::1`, `::ffff:${words}%1`]) {
        expect(mayConnect(nobody, 'x', wrapped, own)).toBe(mayConnect(nobody, 'x', plain, own))
      }
    }),
  )
})

test('what is no address is never connected to, and throws nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV6()), (text) => {
      if (literalAddress(text) === undefined) expect(mayConnect(nobody, 'x', text, own)).toBe(false)
      parseAllowedHosts(text)
    }),
  )
})
