/*
 * What pages need beside their HTML: one style sheet, a few scripts, fonts and the mark. All of it is made from the sources when the
 * first page is asked for, once in each process, so nobody has to build anything; the name of each file holds the digest of its
 * bytes, so browsers may keep it for ever. It is made on a thread that ends with it: compilers take half a second and 40 MB, for
 * which no download waits, and which nobody has to keep.
 */

export interface Asset {
  /** As its address ends: `style.3f6a….css`. */
  name: string
  type: string
  bytes: Uint8Array<ArrayBuffer>
  /** Undefined where the bytes are compressed already. */
  compressed: { br: Uint8Array<ArrayBuffer>; gzip: Uint8Array<ArrayBuffer> } | undefined
}

export type ScriptName = (typeof scriptNames)[number]

/** Files of `assets/scripts`; each is a module of its own, with what it imports in it. */
export const scriptNames = ['page', 'link-code', 'passkey', 'upload', 'upload-worker'] as const

/** The addresses' ends by what the pages call them, and the files by their addresses' ends. */
export interface Assets {
  style: string
  mark: string
  fonts: readonly string[]
  scripts: Record<ScriptName, string>
  byName: ReadonlyMap<string, Asset>
}

/** What the thread says, once. */
export type Made = { assets: Assets } | { failure: string }

let made: Promise<Assets> | undefined

export function assets(): Promise<Assets> {
  made ??= makeElsewhere().catch((error) => {
    made = undefined
    throw error
  })
  return made
}

async function makeElsewhere(): Promise<Assets> {
  const { promise, resolve, reject } = Promise.withResolvers<Assets>()
  const worker = new Worker(new URL('./assets-worker.ts', import.meta.url))
  worker.onmessage = ({ data }: MessageEvent<Made>) =>
    'assets' in data
      ? resolve(data.assets)
      : reject(new Error(`The files of the pages could not be made: ${data.failure}`))
  worker.onerror = (event) => {
    event.preventDefault()
    reject(new Error(`The files of the pages could not be made: ${event.message}`))
  }
  try {
    return await promise
  } finally {
    worker.terminate()
  }
}

/** The file at `/-/assets/{name}`; undefined where there is none of that name, as in a page of another release. */
export async function assetResponse(name: string, acceptEncoding: string): Promise<Response | undefined> {
  const found = (await assets()).byName.get(name)
  if (!found) return undefined
  const { bytes, compressed, type } = found
  const encoding = compressed && (/\bbr\b/.test(acceptEncoding) ? 'br' : /\bgzip\b/.test(acceptEncoding) ? 'gzip' : '')
  const body = encoding && compressed ? compressed[encoding] : bytes
  return new Response(body, {
    headers: {
      'Content-Type': type,
      'Content-Length': String(body.byteLength),
      'Cache-Control': 'public, max-age=31536000, immutable',
      'X-Content-Type-Options': 'nosniff',
      // A script runs by the policy of the page that names it; a picture that is opened by itself runs nothing.
      ...(type.startsWith('image/')
        ? { 'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'" }
        : {}),
      ...(compressed ? { Vary: 'Accept-Encoding' } : {}),
      ...(encoding ? { 'Content-Encoding': encoding } : {}),
    },
  })
}
