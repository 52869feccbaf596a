import { KiB } from '../sizes.ts'

/** A site as it grows: many packages with many versions, in each one small file. */
export interface Site {
  readonly packages: number
  readonly versionsOfEach: number
}

export const million: Site = { packages: 1_000, versionsOfEach: 1_000 }
export const fileSize = KiB
export const fileName = 'file.bin'

export const filesOf = ({ packages, versionsOfEach }: Site) => packages * versionsOfEach
export const packageName = (index: number) => `tool-${index + 1}`
export const versionName = (index: number) => `1.0.${index}`

/** Of the file with this number; the versions of all packages came in turn, as they do where all of them are kept up. */
export function placeOf(site: Site, file: number): { package: number; version: number } {
  return { package: file % site.packages, version: Math.floor(file / site.packages) }
}

export function addressOf(site: Site, file: number): string {
  const place = placeOf(site, file)
  return `/api/packages/bench/generic/${packageName(place.package)}/${versionName(place.version)}/${fileName}`
}

/** Of processes that ended long ago there is no lease any more, and this is one of theirs: nobody sweeps below it. */
export const lease = 'beac0000000000000000'
const blobsPerFolder = 4096

/** Where its bytes lie in the blob folder. Its name must not be guessed in a real site; here it is the same in every run. */
export function locationOf(file: number): { folder: string; name: string } {
  const scattered = (salt: number) => (Math.imul(file ^ salt, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')
  const name = file.toString(16).padStart(8, '0') + scattered(1) + scattered(2) + scattered(3)
  return { folder: `${lease}/${Math.floor(file / blobsPerFolder).toString(36)}`, name }
}

/** No two files have the same. */
export function contentOf(file: number): Uint8Array {
  const words = new Uint32Array(fileSize / 4)
  let state = (file + 1) >>> 0
  for (let at = 0; at < words.length; at += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[at] = state
  }
  words[0] = file
  return new Uint8Array(words.buffer)
}
