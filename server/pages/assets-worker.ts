import { createHash } from 'node:crypto'
import { brotliCompressSync, constants } from 'node:zlib'
import { compile } from 'tailwindcss'
import { type Asset, type Assets, type Made, type ScriptName, scriptNames } from './assets.ts'

declare const self: Worker

const folder = new URL('assets/', import.meta.url).pathname

async function make(): Promise<Assets> {
  const fonts = await Promise.all(fontFiles.map(fontAsset))
  const mark = asset('mark', 'svg', 'image/svg+xml', await bytesOf(`${folder}mark.svg`))
  const style = asset('style', 'css', 'text/css; charset=utf-8', utf8(await styleSheet(fonts)))
  const scripts = await Promise.all(scriptNames.map(script))
  const all = [style, mark, ...fonts, ...scripts]
  return {
    style: style.name,
    mark: mark.name,
    fonts: fonts.slice(0, 2).map(({ name }) => name),
    scripts: Object.fromEntries(scriptNames.map((name, index) => [name, scripts[index]?.name])) as Assets['scripts'],
    byName: new Map(all.map((it) => [it.name, it])),
  }
}

const latin =
  'U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD'
const latinExtended =
  'U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+0304,U+0308,U+0329,U+1D00-1DBF,U+1E00-1E9F,U+1EF2-1EFF,U+2020,U+20A0-20AB,U+20AD-20C4,U+2113,U+2C60-2C7F,U+A720-A7FF'

/** The first two are what nearly every page needs. */
const fontFiles = [
  { family: 'Instrument Sans', file: 'instrument-sans', subset: 'latin', range: latin, weights: '400 700' },
  { family: 'Source Code Pro', file: 'source-code-pro', subset: 'latin', range: latin, weights: '200 900' },
  { family: 'Instrument Sans', file: 'instrument-sans', subset: 'latin-ext', range: latinExtended, weights: '400 700' },
  { family: 'Source Code Pro', file: 'source-code-pro', subset: 'latin-ext', range: latinExtended, weights: '200 900' },
] as const

async function fontAsset({ file, subset }: (typeof fontFiles)[number]): Promise<Asset> {
  const name = `@fontsource-variable/${file}/files/${file}-${subset}-wght-normal.woff2`
  return asset(`${file}-${subset}`, 'woff2', 'font/woff2', await bytesOf(Bun.resolveSync(name, folder)))
}

/** Tailwind and daisyUI, reduced to the classes that stand in the sources of the pages. */
async function styleSheet(fonts: Asset[]): Promise<string> {
  const compiled = await compile(await Bun.file(`${folder}style.css`).text(), {
    base: folder,
    loadStylesheet: async (id, base) => {
      const path = Bun.resolveSync(id === 'tailwindcss' ? 'tailwindcss/index.css' : id, base)
      return { path, base: parentOf(path), content: await Bun.file(path).text() }
    },
    loadModule: async (id, base) => {
      const module = id === 'daisyui' ? await import('daisyui') : await import('daisyui/theme/index.js')
      return { path: id, base, module: module.default }
    },
  })
  const faces = fontFiles.map(
    ({ family, range, weights }, index) =>
      `@font-face{font-family:"${family}";font-style:normal;font-display:swap;font-weight:${weights};` +
      `src:url("${fonts[index]?.name}") format("woff2");unicode-range:${range}}`,
  )
  return `${faces.join('\n')}\n${compiled.build(await candidates())}`
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

/** Every word in the pages' sources that may be a class. */
async function candidates(): Promise<string[]> {
  const found = new Set<string>()
  for await (const path of new Bun.Glob('**/*.{ts,tsx}').scan({ cwd: new URL('.', import.meta.url).pathname })) {
    if (path.includes('.test.')) continue
    const source = await Bun.file(new URL(path, import.meta.url)).text()
    for (const [word] of source.matchAll(/[^\s"'`<>{}=;]+/g)) found.add(word)
  }
  return [...found]
}

async function script(name: ScriptName): Promise<Asset> {
  const { outputs } = await Bun.build({
    entrypoints: [`${folder}scripts/${name}.ts`],
    target: 'browser',
    format: 'esm',
    minify: true,
  })
  const [output] = outputs
  if (!output) throw new Error(`nothing came of the script ${name}`)
  return asset(name, 'js', 'text/javascript; charset=utf-8', utf8(await output.text()))
}

function asset(title: string, ending: string, type: string, bytes: Uint8Array<ArrayBuffer>): Asset {
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  const compressed =
    ending === 'woff2'
      ? undefined
      : {
          br: new Uint8Array(brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })),
          gzip: Bun.gzipSync(bytes, { level: 9 }),
        }
  return { name: `${title}.${digest}.${ending}`, type, bytes, compressed }
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

async function bytesOf(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await Bun.file(path).arrayBuffer())
}

// At the end: what stands above is made by then.
self.postMessage(
  await make().then(
    (assets): Made => ({ assets }),
    (error): Made => ({ failure: String(error) }),
  ),
)
