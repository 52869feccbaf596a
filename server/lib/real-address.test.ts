import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { isTrustedPeer, networkOf, parseTrustedProxies, realAddress, type TrustedProxies } from './real-address.ts'

function trusting(text: string): TrustedProxies {
  const parsed = parseTrustedProxies(text)
  if ('wrong' in parsed) throw new Error(`cannot read ${parsed.wrong}`)
  return parsed
}

function trusts(list: string, address: string): boolean {
  return realAddress({ peer: address, forwardedFor: '203.0.113.99', trusted: trusting(list) }) === '203.0.113.99'
}

describe('the real address', () => {
  test.each<[string, string | null | undefined, string, string, string]>([
    ['no header', null, '10.0.0.1', 'private', '10.0.0.1'],
    ['header left out', undefined, '10.0.0.1', 'private', '10.0.0.1'],
    ['empty header', '', '10.0.0.1', 'private', '10.0.0.1'],
    ['nobody is trusted', '198.51.100.1', '10.0.0.1', '', '10.0.0.1'],
    ['the peer is not trusted', '198.51.100.1', '203.0.113.5', 'private', '203.0.113.5'],
    ['one proxy', '198.51.100.1', '10.0.0.1', 'private', '198.51.100.1'],
    ['two proxies', '198.51.100.1, 10.0.0.2', '10.0.0.1', 'private', '198.51.100.1'],
    ['the client made up the left', '1.1.1.1, 198.51.100.1, 10.0.0.2', '10.0.0.1', 'private', '198.51.100.1'],
    ['the client made up a proxy', '1.1.1.1, 10.9.9.9, 198.51.100.1', '10.0.0.1', 'private', '198.51.100.1'],
    ['all are trusted', '10.0.0.3, 10.0.0.2', '10.0.0.1', 'private', '10.0.0.3'],
    ['garbage at the right', '198.51.100.1, unknown', '10.0.0.1', 'private', '10.0.0.1'],
    ['garbage behind a proxy', '198.51.100.1, _hidden, 10.0.0.2', '10.0.0.1', 'private', '10.0.0.2'],
    ['an empty entry', '198.51.100.1, , 10.0.0.2', '10.0.0.1', 'private', '10.0.0.2'],
    ['a trailing comma', '198.51.100.1,', '10.0.0.1', 'private', '10.0.0.1'],
    ['odd spaces', '\t198.51.100.1\t,10.0.0.2 ', '10.0.0.1', 'private', '198.51.100.1'],
    ['no spaces', '198.51.100.1,10.0.0.2', '10.0.0.1', 'private', '198.51.100.1'],
    ['an octal lookalike', '010.0.0.2', '10.0.0.1', 'private', '10.0.0.1'],
    ['a short form', '198.51', '10.0.0.1', 'private', '10.0.0.1'],
    ['a number', '3325256705', '10.0.0.1', 'private', '10.0.0.1'],
    ['out of range', '198.51.100.256', '10.0.0.1', 'private', '10.0.0.1'],
    ['a range', '198.51.100.0/24', '10.0.0.1', 'private', '10.0.0.1'],
    ['a port', '198.51.100.1:4711', '10.0.0.1', 'private', '198.51.100.1'],
    ['IPv6', '2001:db8::7', '::1', 'loopback', '2001:db8::7'],
    ['IPv6 in brackets', '[2001:db8::7]', '::1', 'loopback', '2001:db8::7'],
    ['IPv6 and a port', '[2001:db8::7]:4711', '::1', 'loopback', '2001:db8::7'],
    ['IPv6 spelled out', '2001:0DB8:0:0:0:0:0:0007', '::1', 'loopback', '2001:db8::7'],
    ['a mapped peer', '198.51.100.1', '::ffff:10.0.0.1', '10.0.0.0/8', '198.51.100.1'],
    ['a mapped peer in hex', '198.51.100.1', '::ffff:a00:1', '10.0.0.0/8', '198.51.100.1'],
    ['a mapped peer that is not trusted', '1.1.1.1', '::ffff:203.0.113.5', '10.0.0.0/8', '203.0.113.5'],
    ['a mapped hop', '198.51.100.1, ::FFFF:10.0.0.2', '10.0.0.1', '10.0.0.0/8', '198.51.100.1'],
    ['a mapped client', '::ffff:198.51.100.1', '10.0.0.1', '10.0.0.0/8', '198.51.100.1'],
    ['a mapped octal lookalike', '::ffff:010.0.0.2', '10.0.0.1', 'private', '10.0.0.1'],
    ['a zone', '198.51.100.1', 'fe80::1%eth0', 'fe80::/10', '198.51.100.1'],
    ['a zone of a peer that is not trusted', null, 'fe80::1%eth0', '', 'fe80::1'],
    ['a peer that is no address', '198.51.100.1', '/run/stowage.sock', 'private', '/run/stowage.sock'],
    ['a peer without a name', '198.51.100.1', '', 'private', ''],
  ])('%s', (_, forwardedFor, peer, list, expected) => {
    expect(realAddress({ peer, forwardedFor, trusted: trusting(list) })).toBe(expected)
  })

  const client = fc.oneof(fc.ipV4(), fc.ipV6())

  test('is never what a client says when its connection is not trusted', () => {
    fc.assert(
      fc.property(fc.string(), (forwardedFor) => {
        const hops = { peer: '203.0.113.5', forwardedFor, trusted: trusting('loopback private') }
        expect(realAddress(hops)).toBe('203.0.113.5')
      }),
    )
  })

  test('is what the last proxy saw, whatever stands left of it', () => {
    fc.assert(
      fc.property(fc.string(), (madeUp) => {
        const hops = { peer: '127.0.0.1', forwardedFor: `${madeUp}, 203.0.113.5`, trusted: trusting('loopback') }
        expect(realAddress(hops)).toBe('203.0.113.5')
      }),
    )
  })

  test('comes out the same when it is read again', () => {
    fc.assert(
      fc.property(client, (peer) => {
        const once = realAddress({ peer, forwardedFor: null, trusted: () => false })
        expect(realAddress({ peer: once, forwardedFor: null, trusted: () => false })).toBe(once)
      }),
    )
  })

  test.each(['10.0.0.1,', ',', ':', '[', '%', '1.', 'f:'])(
    '%p a hundred thousand times is read in no time',
    (piece) => {
      const started = performance.now()
      realAddress({ peer: '10.0.0.1', forwardedFor: piece.repeat(100_000), trusted: trusting('private') })
      realAddress({ peer: '10.0.0.1', forwardedFor: `${piece.repeat(100_000)}10.0.0.1`, trusted: trusting('private') })
      expect(performance.now() - started).toBeLessThan(2000)
    },
  )
})

describe('trusted proxies', () => {
  test.each<[string, string, boolean]>([
    ['10.0.0.0/8, ::1, 192.168.1.1', '10.255.0.1', true],
    ['10.0.0.0/8, ::1, 192.168.1.1', '11.0.0.1', false],
    ['10.0.0.0/8, ::1, 192.168.1.1', '::1', true],
    ['10.0.0.0/8, ::1, 192.168.1.1', '::2', false],
    ['10.0.0.0/8, ::1, 192.168.1.1', '192.168.1.1', true],
    ['10.0.0.0/8, ::1, 192.168.1.1', '192.168.1.2', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['10.0.0.0/8\n192.168.1.1', '192.168.1.1', true],
    ['0.0.0.0/0', '203.0.113.5', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.5', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::ffff:10.0.0.1', '10.0.0.1', true],
    ['::ffff:10.0.0.0/104', '10.3.2.1', true],
    ['::ffff:10.0.0.0/104', '11.3.2.1', false],
    ['loopback', '127.0.0.1', true],
    ['loopback', '127.9.9.9', true],
    ['loopback', '::1', true],
    ['loopback', '10.0.0.1', false],
    ['Private', '10.0.0.1', true],
    ['private', '172.31.255.255', true],
    ['private', '172.32.0.0', false],
    ['private', '192.168.0.1', true],
    ['private', 'fd00::1', true],
    ['private', '127.0.0.1', false],
    ['private', '169.254.169.254', false],
    ['', '127.0.0.1', false],
    [' , ', '127.0.0.1', false],
  ])('%p and %s: %p', (list, address, expected) => {
    expect(trusts(list, address)).toBe(expected)
  })

  test('wrong entries are all reported', () => {
    const wrong = [
      'proxy.example.com',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      '10.0.0.0/255.0.0.0',
      '10.0/8',
      '10',
      '010.0.0.1',
      '::1/129',
      '::ffff:10.0.0.0/8',
      '[::1]',
      '*',
      'all',
      '/8',
    ]
    expect(parseTrustedProxies(`10.0.0.0/8, ${wrong.join(', ')}, loopback`)).toEqual({ wrong })
  })

  test('any text is a list or has wrong entries', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f.:/, ]{0,30}$/)), (text) => {
        const parsed = parseTrustedProxies(text)
        expect(
          'wrong' in parsed
            ? parsed.wrong.length > 0
            : !parsed(ipaddr.parse('192.0.2.1')) || /\/|192\.0\.2\.1/.test(text),
        ).toBeTrue()
      }),
    )
  })

  test('a range covers exactly its addresses', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.nat(32), (base, address, bits) => {
        const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
        const inside = Math.floor(number(base) / 2 ** (32 - bits)) === Math.floor(number(address) / 2 ** (32 - bits))
        fc.pre(address !== '203.0.113.99')
        expect(trusts(`${base}/${bits}`, address)).toBe(inside)
      }),
    )
  })
})

describe('the other end of the connection', () => {
  test.each<[string, string, boolean]>([
    ['127.0.0.1', 'loopback', true],
    ['::ffff:127.0.0.1', 'loopback', true],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.2', '10.0.0.1', false],
    ['127.0.0.1', '', false],
    ['', '0.0.0.0/0, ::/0', false],
    ['/run/stowage.sock', '0.0.0.0/0, ::/0', false],
    ['10.1', '10.0.0.0/8', false],
  ])('%p, where %p is trusted: %p', (peer, list, expected) => {
    expect(isTrustedPeer(peer, trusting(list))).toBe(expected)
  })
})

describe('whom an address stands for', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
    ['2001:db8:1:2::', '2001:db8:1:2::'],
    ['::1', '0:0:0:0::'],
    ['/run/stowage.sock', '/run/stowage.sock'],
    ['', ''],
  ])('%p: %p', (address, expected) => {
    expect(networkOf(address)).toBe(expected)
  })
})
