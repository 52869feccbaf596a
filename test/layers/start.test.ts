import { expect, test } from 'bun:test'
import { dirname, join } from 'node:path'

const root = join(import.meta.dir, '../..')

/** The packages that are loaded with a module: by it and by what it imports, but for what is imported when it is needed. */
async function packagesOf(entry: string): Promise<string[]> {
  const transpiler = new Bun.Transpiler({ loader: 'ts' })
  const packages = new Set<string>()
  const files = new Set([join(root, entry)])
  for (const file of files) {
    for (const { kind, path } of transpiler.scanImports(await Bun.file(file).text())) {
      if (kind !== 'import-statement' || /^(node|bun):/.test(path)) continue
      if (!path.startsWith('.')) packages.add(path)
      else files.add(join(dirname(file), path))
    }
  }
  return [...packages].sort()
}

// Loading is most of a start: what a server need not have to publish and fetch files is loaded when it is asked for.
test('a start loads few packages', async () => {
  expect(await packagesOf('server/serve.ts')).toEqual([
    'ipaddr.js',
    'kysely',
    'kysely/migration',
    'otpauth',
    'pino',
    'zod',
  ])
  // The database's thread loads beside it from here on.
  expect(await packagesOf('server/main.ts')).toEqual([])
  expect(await packagesOf('server/sqlite-worker.ts')).toEqual(['ipaddr.js', 'kysely', 'kysely/migration', 'otpauth'])
})
