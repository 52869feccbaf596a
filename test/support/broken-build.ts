/** Names the break in a server that `broken-build.preload.ts` is loaded into. */
export const brokenBuild = 'TEST_BROKEN_BUILD'

/** One piece of a source file of ours, and what stands there in a build that is broken. */
interface Break {
  file: string
  right: string
  wrong: string
}

/** What a history must find. */
export const breaks = {
  'a store that refuses an upload is not heard': {
    file: 'server/blobs/s3-upload.ts',
    right: '.catch((error) => {\n        this.#requestFailed(error)\n      })',
    wrong: '.catch(() => {})',
  },
  'a download that breaks off at the store ends with zeros': {
    file: 'server/blobs/s3-download.ts',
    right: 'await reader.read()',
    wrong: 'await reader.read().catch(() => ({ value: new Uint8Array(this.#end - this.#next) }))',
  },
  'a delete is answered before it is done': {
    file: 'server/http/packages/routes.ts',
    right: 'await removeFile(parts.registry, leave, address)',
    wrong: 'setTimeout(() => removeFile(parts.registry, leave, address).catch(() => {}), 200)',
  },
} satisfies Record<string, Break>

export type BreakName = keyof typeof breaks

/** Settings for a server of such a build. */
export function brokenBy(name: BreakName): Record<string, string> {
  const preload = new URL('broken-build.preload.ts', import.meta.url).pathname
  return { BUN_OPTIONS: `--preload ${preload}`, [brokenBuild]: name }
}
