import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { fetchFile, fileAddress, shellWord } from './commands.ts'

const names = { owner: 'ada', package: 'tool', version: '1.0', file: 'tool.bin' }

describe('a word for the shell', () => {
  test.each([
    ['tool-1.0_x.tar.gz', 'tool-1.0_x.tar.gz'],
    ['a;rm -rf $HOME', "'a;rm -rf $HOME'"],
    ["it's", `'it'\\''s'`],
    ['~ada', "'~ada'"],
    ['', "''"],
  ])('%p is %s', (text, word) => {
    expect(shellWord(text)).toBe(word)
  })

  test('is to a shell what it was, whatever it holds', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 20 }), (texts) => {
        const words = texts.map((text) => text.replaceAll('\0', ''))
        const script = `printf '%s\\0' ${words.map(shellWord).join(' ')}`
        const { stdout } = Bun.spawnSync(['sh', '-c', script])
        expect(stdout.toString()).toBe(words.map((word) => `${Buffer.from(word).toString()}\0`).join(''))
      }),
      { numRuns: 20 },
    )
  })
})

describe('the address of a file', () => {
  test('has every name in one segment, and nothing that a shell has to do with', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (file) => {
        const address = fileAddress('https://example.com/files', { ...names, file })
        expect(address).toMatch(
          /^https:\/\/example\.com\/files\/api\/packages\/ada\/generic\/tool\/1\.0\/[A-Za-z0-9_.%-]+$/,
        )
        expect(decodeURIComponent(address.split('/').at(-1) ?? '')).toBe(file)
      }),
    )
  })
})

describe('the command that fetches a file', () => {
  test('keeps a plain name', () => {
    expect(fetchFile('http://a', names)).toBe('curl -fO http://a/api/packages/ada/generic/tool/1.0/tool.bin')
  })

  test('says the name where the address has it escaped', () => {
    expect(fetchFile('http://a', { ...names, file: 'a;rm -rf $HOME' })).toBe(
      "curl -fo 'a;rm -rf $HOME' http://a/api/packages/ada/generic/tool/1.0/a%3Brm%20-rf%20%24HOME",
    )
  })
})
