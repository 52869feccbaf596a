import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { possibleFile, possiblePackage, possibleVersion } from '../../names.ts'
import {
  checkSum,
  curlFetch,
  curlPublish,
  type FetchedFile,
  fetchStep,
  goReleaser,
  powerShellCheckSum,
  powerShellFetch,
  powerShellPublish,
  powerShellText,
  publishStep,
  wgetFetch,
  wgetPublish,
  workflowWord,
  yamlText,
} from './commands.ts'

const letters = (signs: string) => fc.constantFrom(...signs)
const fileSigns = 'abz019_-+=:;.()[]{}~!@#$%^& '
const fileNames = fc
  .oneof(
    fc.string({ unit: letters(fileSigns), minLength: 1, maxLength: 30 }),
    fc.constantFrom(
      '-',
      '--',
      '-rf',
      '-o',
      '~',
      '$HOME',
      '$(id)',
      `\${{ secrets.X }}`,
      '#1',
      '[1-9]',
      '{a,b}',
      '!!',
      '=ls',
      '&',
      'a;rm -rf $HOME',
    ),
  )
  .filter((name) => possibleFile(name) !== undefined)
const versions = fc
  .oneof(
    fc.string({
      unit: letters(`az01'"\`$(){}[]<>|&;!#*?~%^= -\u2018\u2019\u201B🎉שع💥é`),
      minLength: 1,
      maxLength: 30,
    }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
    fc.constantFrom(
      "'; rm -rf ~ #",
      '`id`',
      '$(id)',
      '"$HOME"',
      `\${{ github.token }}`,
      '%41',
      '%',
      '-',
      'versions',
      '\u2019; calc #',
    ),
  )
  .filter((version) => possibleVersion(version) !== undefined)
const packages = fc
  .string({ unit: letters('aZ09_-+.'), minLength: 1, maxLength: 20 })
  .filter((name) => possiblePackage(name) !== undefined)
const files: fc.Arbitrary<FetchedFile> = fc.record({
  address: fc.constantFrom('http://localhost:3000', 'https://it.example/a%20path', "https://it.example/it's/$HOME"),
  owner: fc.constantFrom('ada', 'a-b.c_d'),
  package: packages,
  version: versions,
  file: fileNames,
  sha256: fc.constant('0'.repeat(64)),
  needsToken: fc.boolean(),
})

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stowage-commands-'))
})

afterAll(() => rm(folder, { recursive: true }))

/** Words that each program of a script gets, by programs that say theirs. What else is run, or written, would show. */
async function wordsOf(script: string): Promise<string[][]> {
  const say = `say() { printf '<'; for word; do printf '%s\\0' "$word"; done; printf '>\\n'; }`
  const programs = `${say}; curl() { say curl "$@"; }; wget() { say wget "$@"; }; echo() { say echo "$@"; }; sha256sum() { cat; say sha256sum "$@"; }`
  const child = Bun.spawn(['sh', '-fc', `${programs}\n${script}`], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: '/home-of-nobody', STOWAGE_TOKEN: "t'o k$n" },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, wrong] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if (wrong !== '') throw new Error(`${script}\n${wrong}`)
  return out
    .split('>\n')
    .filter(Boolean)
    .map((line) => line.slice(1).split('\0').slice(0, -1))
}

/** Many scripts cost one shell. */
async function eachOf(scripts: readonly string[]): Promise<string[][]> {
  return wordsOf(scripts.join('\n'))
}

/** What a step's shell gets: its block, without the indentation; expressions are replaced before, by what they hold. */
function scriptOf(step: string): string {
  const [, block = ''] = /\n {2}run: \|\n((?: {4}.*\n?)+)/.exec(step) ?? []
  return block.replaceAll(/^ {4}/gm, '').replaceAll(/\$\{\{.*?\}\}/g, 'INJECTED')
}

function pathOf(file: string): RegExp {
  return new RegExp(`^(?:\\./)?${file.replaceAll(/[.*+?^${'$'}{}()|[\]\\]/g, '\\$&')}$`)
}

/** The address leads to exactly that file, whoever decodes it. */
function demandAddress(address: string | undefined, file: FetchedFile): void {
  expect(address?.startsWith(`${file.address}/api/packages/`)).toBe(true)
  const segments = address?.slice(file.address.length).split('/') ?? []
  expect(segments.map(decodeURIComponent)).toEqual([
    '',
    'api',
    'packages',
    file.owner,
    'generic',
    file.package,
    file.version,
    file.file,
  ])
  expect(segments.join('/')).toMatch(/^[\w./%+-]*$/)
}

describe('commands for a shell', () => {
  test('say the file and nothing else, whatever it is called', async () => {
    const samples = fc.sample(files, 300)
    const fetched = await eachOf(samples.map((file) => curlFetch(file)))
    const got = await eachOf(samples.map(wgetFetch))
    const published = await eachOf(samples.map((file) => curlPublish(file)))
    const put = await eachOf(samples.map(wgetPublish))
    expect([fetched.length, got.length, published.length, put.length]).toEqual([300, 300, 300, 300])
    const token = "Authorization: token t'o k$n"
    for (const [index, file] of samples.entries()) {
      const ends = (words: string[] | undefined) => {
        demandAddress(words?.at(-1), file)
        return words?.slice(0, -1) ?? []
      }
      const path = expect.stringMatching(pathOf(file.file))
      expect(ends(fetched[index])).toEqual(['curl', '-fL', ...(file.needsToken ? ['-H', token] : []), '-o', path])
      expect(ends(got[index])).toEqual(['wget', ...(file.needsToken ? [`--header=${token}`] : []), '-O', path])
      const brackets = /[[\]{}]/.test(file.file) ? ['-g'] : []
      expect(ends(published[index])).toEqual(['curl', '--fail-with-body', ...brackets, '-H', token, '-T', path])
      const [, , body, ...rest] = ends(put[index])
      expect(body?.slice('--body-file='.length)).toEqual(path)
      expect(rest).toEqual([`--header=${token}`, '-O', '-'])
    }
  })

  test('never take a name for an option or a stream', () => {
    fc.assert(
      fc.property(files, (file) => {
        expect(curlFetch(file)).not.toMatch(/ -o '?[-~]/)
        expect(curlPublish(file)).not.toMatch(/ -T '?[-~]/)
      }),
    )
  })

  test('of a workflow are the same, and hold no expression of a name', async () => {
    const samples = fc.sample(files, 200)
    for (const file of samples) {
      const [fetch, publish] = [fetchStep(file), publishStep(file)]
      const expressions = [...`${fetch}\n${publish}`.matchAll(/\$\{\{.*/g)].map(([found]) => found)
      expect(new Set(expressions)).toEqual(new Set([`\${{ secrets.STOWAGE_TOKEN }}`]))
      expect(expressions.length).toBe(file.needsToken ? 2 : 1)
    }
    const words = await eachOf(samples.map((file) => scriptOf(publishStep(file))))
    const plain = await eachOf(samples.map((file) => curlPublish(file)))
    expect(words).toEqual(plain)
    const steps = samples.map((file) => scriptOf(fetchStep(file)).split('\n')[0] ?? '')
    expect(await eachOf(steps)).toEqual(await eachOf(samples.map((file) => curlFetch(file))))
  })

  test('of a workflow break an expression up within its quotes', () => {
    expect(workflowWord(`a\${{ github.token }}`)).toBe("'a$''{{ github.token }}'")
    expect(workflowWord('plain.zip')).toBe('plain.zip')
  })

  test('check a sum that sha256sum reads back', async () => {
    const samples = fc.sample(fileNames, 60)
    for (const file of samples) {
      const path = join(folder, file)
      await Bun.write(path, file)
      const sha256 = new Bun.CryptoHasher('sha256').update(file).digest('hex')
      const its = { address: '', owner: 'ada', package: 'tool', version: '1', file, sha256, needsToken: false }
      const good = Bun.spawnSync(['sh', '-c', checkSum(its)], { cwd: folder })
      expect([file, good.exitCode, good.stderr.toString()]).toEqual([file, 0, ''])
      const wrong = Bun.spawnSync(['sh', '-c', checkSum({ ...its, sha256: '0'.repeat(64) })], { cwd: folder })
      expect(wrong.exitCode).toBe(1)
      await rm(path)
    }
  })

  test('the example', () => {
    const file = {
      address: 'https://packages.example.com',
      owner: 'acme',
      package: 'tool',
      version: '1.0',
      file: 'a;rm -rf $HOME',
      sha256: '',
      needsToken: false,
    }
    expect(curlFetch(file)).toBe(
      `curl -fL -o 'a;rm -rf $HOME' https://packages.example.com/api/packages/acme/generic/tool/1.0/a%3Brm%20-rf%20%24HOME`,
    )
  })
})

describe('commands for PowerShell', () => {
  /** Words as PowerShell reads them: text in single quotes, in which two of any single quote are one. */
  function powerShellWords(line: string): string[] {
    const word =
      /@\{ Authorization = "token \$env:STOWAGE_TOKEN" \}|['\u2018-\u201B](?:[^'\u2018-\u201B]|['\u2018-\u201B]{2})*['\u2018-\u201B]|[\w-]+/gy
    const words: string[] = []
    for (let at = 0; at < line.length; at = word.lastIndex + 1) {
      word.lastIndex = at
      const [found] = word.exec(line) ?? []
      if (found === undefined) throw new Error(`no word at ${at} of ${line}`)
      const isText = /^['\u2018-\u201B]/.test(found)
      words.push(isText ? found.slice(1, -1).replace(/(['\u2018-\u201B])['\u2018-\u201B]/g, '$1') : found)
    }
    return words
  }

  test('hold every text as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: letters(`a'$\`"(\u2018\u2019\u201A\u201B;`) }), (text) => {
        expect(powerShellWords(powerShellText(text))).toEqual([text])
      }),
    )
  })

  test('say the file and nothing else', () => {
    fc.assert(
      fc.property(files, (file) => {
        const [first = '', second] = powerShellFetch(file).split('\n')
        const words = powerShellWords(first)
        const target = words[words.indexOf('-Uri') + 1]
        demandAddress(target, file)
        const path = words[words.indexOf('-OutFile') + 1] ?? ''
        if (/[[\]]/.test(file.file)) {
          expect(path).toBe('download.tmp')
          expect(powerShellWords(second ?? '').slice(1)).toEqual([
            '-LiteralPath',
            'download.tmp',
            '-NewName',
            file.file,
          ])
        } else {
          expect(path).toMatch(pathOf(file.file))
          expect(second).toBeUndefined()
        }
        demandAddress(powerShellWords(powerShellPublish(file)).at(-3), file)
        expect(powerShellCheckSum(file)).toContain(`-eq '${file.sha256}'`)
      }),
    )
  })
})

describe('the configuration of GoReleaser', () => {
  test('is YAML with one target', () => {
    const text = goReleaser({ address: "https://it's.example/a", owner: 'acme', package: 'tool', user: 'ada' })
    const { uploads } = Bun.YAML.parse(text) as { uploads: Record<string, string>[] }
    expect(uploads).toEqual([
      {
        name: 'stowage',
        method: 'PUT',
        mode: 'archive',
        target: "https://it's.example/a/api/packages/acme/generic/tool/{{ .Version }}/",
        username: 'ada',
        checksum_header: 'X-Checksum-Sha256',
      },
    ])
  })

  test('holds any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: letters(`a'":#{}[]&*!|>%@\` -`) }), (text) => {
        expect(Bun.YAML.parse(`key: ${yamlText(text)}`)).toEqual({ key: text })
      }),
    )
  })
})

test('steps are YAML whose script is the command', () => {
  fc.assert(
    fc.property(files, (file) => {
      const [fetch] = Bun.YAML.parse(fetchStep(file)) as { run: string; env?: Record<string, string> }[]
      expect(fetch?.run.trimEnd()).toBe(`${curlFetch(file, workflowWord)}\n${checkSum(file, workflowWord)}`)
      expect(fetch?.env).toEqual(file.needsToken ? { STOWAGE_TOKEN: `\${{ secrets.STOWAGE_TOKEN }}` } : undefined)
    }),
  )
})
