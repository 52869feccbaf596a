import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
// Another library than the one that made them.
import decodeQR from 'qr/decode.js'
import { qrSvg, qrText } from './qr.ts'

const address =
  'otpauth://totp/packages.example.com:ada?issuer=packages.example.com&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA1&digits=6&period=30'

/** Rows of modules, `true` where dark. */
type Picture = boolean[][]

/** What a camera sees, four pixels to a module. */
function decoded(picture: Picture): string {
  const scale = 4
  const size = picture.length * scale
  const data = new Uint8Array(size * size * 4).fill(255)
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (picture[Math.floor(y / scale)]?.[Math.floor(x / scale)])
        data.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3)
    }
  }
  return decodeQR({ width: size, height: size, data })
}

/** The black path of the SVG, filled in. */
function drawnBySvg(svg: string): Picture {
  const size = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1])
  const picture = Array.from({ length: size }, () => new Array<boolean>(size).fill(false))
  const path = /<path d="([^"]*)"\/><\/svg>$/.exec(svg)?.[1] ?? ''
  const stretches = [...path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)]
  expect(stretches.map(([text]) => text).join('')).toBe(path)
  for (const [, x, y, length] of stretches) picture[Number(y)]?.fill(true, Number(x), Number(x) + Number(length))
  return picture
}

/** The lines of a terminal that is dark. */
function drawnByText(text: string): Picture {
  const rows = text
    .split('\n')
    .flatMap((line) => [
      [...line].map((sign) => sign !== '█' && sign !== '▀'),
      [...line].map((sign) => sign !== '█' && sign !== '▄'),
    ])
  // A code has an odd number of rows: the last half line is the terminal's.
  expect(rows.pop()?.every(Boolean)).toBeTrue()
  return rows
}

const forms: [string, (text: string) => Picture][] = [
  ['as SVG', (text) => drawnBySvg(qrSvg(text))],
  ['as text', (text) => drawnByText(qrText(text))],
]

describe.each(forms)('a code %s', (_, drawn) => {
  test.each([address, 'a', '0123456789', 'HTTPS://EXAMPLE.COM', 'ünïcödé ✓ 🚢'])('is read back: %j', (text) => {
    expect(decoded(drawn(text))).toBe(text)
  })

  test('is read back, whatever it says', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 400 }), (text) => {
        expect(decoded(drawn(text))).toBe(text)
      }),
      { numRuns: 25 },
    )
  })

  test('is square, with four light modules around it and then a finder', () => {
    const picture = drawn(address)
    const size = picture.length
    for (const row of picture) expect(row).toHaveLength(size)
    const border = picture.flatMap((row, y) => row.filter((_, x) => Math.min(x, y, size - 1 - x, size - 1 - y) < 4))
    expect(border.some(Boolean)).toBeFalse()
    expect(picture[4]?.slice(4, 12).map(Number)).toEqual([1, 1, 1, 1, 1, 1, 1, 0])
  })
})

test('the SVG is small and needs nothing else', () => {
  const svg = qrSvg(address)
  expect(svg.length).toBeLessThan(16_000)
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^<>]*>(<path [^<>]*\/>){2}<\/svg>$/)
  expect(svg).not.toMatch(/href|url\(|script|style|\bon\w+=/)
})

test('what is in the code never gets into the SVG as text', () => {
  expect(qrSvg('<script>alert(1)</script>"')).not.toMatch(/script|alert/)
})

test('the text fits into a terminal of 80 columns, an address of the longest account name too', () => {
  const longest = address.replace(':ada', `:${'a'.repeat(40)}`)
  for (const line of qrText(longest).split('\n')) expect([...line].length).toBeLessThanOrEqual(80)
})

test('what no QR code can hold is an error', () => {
  expect(() => qrSvg('x'.repeat(3000))).toThrow()
})
