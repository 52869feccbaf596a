import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { attachment } from './content-disposition.ts'

describe('the name to save a file under', () => {
  test.each(['a.tar.gz', '-', 'stowage_1.0.0+build~1', '{a}', '!#$%^&', '100%'])('%p is a token', (name) => {
    expect(attachment(name)).toBe(`attachment; filename=${name}`)
  })

  test.each(['a b', '(a)', 'a<', 'a>', 'a@b', 'a,b', 'a;b', 'a:b', 'a/b', '[a]', 'a?', 'a=b', 'a;rm -rf $HOME'])(
    '%p is quoted',
    (name) => {
      expect(attachment(name)).toBe(`attachment; filename="${name}"`)
    },
  )

  test.each([
    ['a"b', '"a\\"b"'],
    ['a\\b', '"a\\\\b"'],
    ['', '""'],
  ])('%p is quoted and escaped', (name, value) => {
    expect(attachment(name)).toBe(`attachment; filename=${value}`)
  })

  test.each([
    ['Größe.txt', 'Gr%C3%B6%C3%9Fe.txt'],
    ["€'(*)", '%E2%82%AC%27%28%2A%29'],
    ['a\r\nb', 'a%0D%0Ab'],
    ['\ud800', '%EF%BF%BD'],
  ])('%p is encoded', (name, value) => {
    expect(attachment(name)).toBe(`attachment; filename*=UTF-8''${value}`)
  })

  test('can always be sent, and be read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const value = attachment(name)
        expect(new Headers({ 'content-disposition': value }).get('content-disposition')).toBe(value)
        const [, kind, text = ''] = /^attachment; filename(\*=UTF-8''|=)(.*)$/.exec(value) ?? []
        const plain = text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text
        expect(kind === '=' ? plain : decodeURIComponent(text)).toBe(name)
      }),
    )
  })
})
