import { describe, expect, test } from 'bun:test'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, posix, relative } from 'node:path'

const root = new URL('../..', import.meta.url).pathname

const everything = ['server']

/**
 * Who may import whom: a folder or file, and what it may import beside its own folder. The longest line that fits
 * counts. A folder that has no line fails, so that whoever adds one says where it belongs.
 */
const table: Record<string, readonly string[]> = {
  'server/http': ['server/access', 'server/registry', 'server/lib', 'server/problems.ts', 'server/names.ts'],
  // A second protocol beside `http`: who calls, how a refusal is told and how bytes are answered is the same there.
  'server/pages': [
    'server/http',
    'server/access',
    'server/registry',
    'server/lib',
    'server/problems.ts',
    'server/names.ts',
  ],
  // They run in a browser: what they share with the server needs nothing of one.
  'server/pages/assets/scripts': ['server/names.ts', 'server/pages/words.ts'],
  'server/jobs': [
    'server/registry',
    // The queue, and no other table.
    'server/catalogue/jobs.ts',
    'server/catalogue/transaction.ts',
    'server/lib',
    'server/problems.ts',
  ],
  'server/registry': [
    'server/access',
    'server/catalogue',
    'server/blobs',
    'server/lib',
    'server/problems.ts',
    'server/names.ts',
  ],
  'server/access': ['server/catalogue', 'server/lib', 'server/problems.ts', 'server/names.ts'],
  'server/catalogue': ['server/lib', 'server/problems.ts'],
  // A migration must mean the same in five years.
  'server/catalogue/migrations': [],
  'server/blobs': ['server/lib', 'server/problems.ts'],
  'server/lib': [],
  'server/metrics': [
    'server/http/metrics.ts',
    'server/registry',
    'server/catalogue/transaction.ts',
    'server/blobs/blob-store.ts',
    'server/problems.ts',
  ],
  'server/problems.ts': [],
  'server/names.ts': ['server/problems.ts'],
  'server/config.ts': ['server/lib', 'server/names.ts', 'server/oidc-settings.ts'],
  'server/oidc-settings.ts': ['server/lib'],
  'server/background.ts': everything,
  'server/compose.ts': everything,
  'server/data-lock.ts': everything,
  'server/database.ts': everything,
  'server/first-admin.ts': everything,
  'server/end-with-reason.ts': everything,
  'server/listening.ts': everything,
  'server/log.ts': everything,
  'server/main.ts': everything,
  'server/outage.ts': everything,
  'server/move.ts': everything,
  'server/move-files.ts': everything,
  'server/people.ts': everything,
  'server/publishing.ts': everything,
  'server/secret-key-file.ts': everything,
  'server/serve.ts': everything,
  'server/single-sign-on.ts': everything,
  'server/sqlite-worker.ts': everything,
  'server/start.ts': everything,
  'server/stop-signals.ts': everything,
  'server/storage-id-file.ts': everything,
  'server/storage-id-object.ts': everything,
  'server/webhooks.ts': everything,
  'server/worker.ts': everything,
  'server/worker-place.ts': everything,
  'server/workers.ts': everything,
  'server/transactions.ts': everything,
  client: [],
  'client/generate': ['server/http/api/app.ts', 'server/http/api/document.ts'],
  cli: ['client'],
  'cli/operator': [
    'client',
    'cli/arguments.ts',
    'server/compose.ts',
    'server/config.ts',
    'server/first-admin.ts',
    'server/move.ts',
    'server/move-files.ts',
    'server/start.ts',
  ],
}

/** Sources by their path from the root of the project. */
type Tree = ReadonlyMap<string, string>

const isExempt = (path: string) => /\.(test|contract)\.tsx?$/.test(path)
const isWithin = (path: string, place: string) => path === place || path.startsWith(`${place}/`)

function lineFor(path: string): string | undefined {
  const lines = Object.keys(table).filter((place) => isWithin(path, place))
  return lines.sort((a, b) => b.length - a.length)[0]
}

const quoted = String.raw`\s*(?:'([^'\n]*)'|"([^"\n]*)"|${'`'}([^${'`'}$]*)${'`'})`
const beforePath = [
  String.raw`\bfrom`,
  String.raw`\bimport`,
  String.raw`\b(?:import|require)\s*\(`,
  String.raw`\bnew\s+URL\s*\(`,
  String.raw`\bnew\s+Worker\s*\(`,
  String.raw`\bresolve(?:Sync)?\s*\(`,
]
const importOf = new RegExp(`(?:${beforePath.join('|')})${quoted}`, 'g')
const sourceNamed = /(['"`])(\.{1,2}\/[^'"`\n$]*\.[cm]?[jt]sx?)\1/g
const unreadable = /\b(?:import|require)\s*\((?!\s*['"`])/

/** Every path that a source refers to: imports of each kind, and anything quoted that looks like one of our files. */
function pathsIn(source: string): string[] {
  const imported = [...source.matchAll(importOf)].map(
    ([, single, double, template]) => single ?? double ?? template ?? '',
  )
  const named = [...source.matchAll(sourceNamed)].map(([, , path = '']) => path)
  return [...new Set([...imported, ...named])].filter((path) => path.startsWith('.'))
}

/** What in this tree goes against the table, a sentence for each. */
function violations(tree: Tree): string[] {
  return [...tree]
    .filter(([path]) => !isExempt(path))
    .flatMap(([path, source]) => {
      const line = lineFor(path)
      if (line === undefined) return [`${path} has no line in the table of layers`]
      const own = line.endsWith('.ts') ? [] : [line]
      const wrong = pathsIn(source)
        .map((target) => posix.join(posix.dirname(path), target))
        .filter((target) => /\.[cm]?[jt]sx?$/.test(target) || posix.extname(target) === '')
        .filter((target) => ![...own, ...(table[line] ?? [])].some((place) => isWithin(target, place)))
        .map((target) => `${path} may not import ${target}`)
      return unreadable.test(source) ? [...wrong, `${path} imports what cannot be read here`] : wrong
    })
}

async function projectTree(): Promise<Tree> {
  const tree = new Map<string, string>()
  for await (const path of new Bun.Glob('{server,cli,client}/**/*.{ts,tsx,js,mjs}').scan({ cwd: root })) {
    if (path.includes('node_modules/') || path.includes('/dist/')) continue
    tree.set(path, await Bun.file(join(root, path)).text())
  }
  return tree
}

describe('the layers', () => {
  test('hold', async () => {
    expect(violations(await projectTree())).toEqual([])
  })

  test('are looked at: every file, and imports that are known to be there', async () => {
    const tree = await projectTree()
    expect(tree.size).toBeGreaterThan(60)
    const importsOf = (path: string) =>
      pathsIn(tree.get(path) ?? '').map((target) => posix.join(posix.dirname(path), target))
    expect(importsOf('server/database.ts')).toContain('server/sqlite-worker.ts')
    expect(importsOf('server/http/app.ts')).toContain('server/http/json.ts')
    expect(importsOf('server/lib/digest-thread.ts')).toContain('server/lib/digest-worker.ts')
    expect(importsOf('cli/operator/serve.ts')).toContain('server/start.ts')
  })

  const canaries: [path: string, source: string][] = [
    ['server/lib/canary.ts', "import { Problem } from '../problems.ts'"],
    ['server/lib/canary.ts', 'import type { Problem } from "../problems.ts"'],
    ['server/lib/canary.ts', "import {\n  type Problem,\n} from '../problems.ts'"],
    ['server/lib/canary.ts', "import '../problems.ts'"],
    ['server/lib/canary.ts', "export * from '../problems.ts'"],
    ['server/lib/canary.ts', "export { Problem } from '../problems'"],
    ['server/lib/canary.ts', "const { Problem } = await import('../problems.ts')"],
    ['server/lib/canary.ts', "type Problem = import('../problems.ts').Problem"],
    ['server/lib/canary.ts', 'await import(`../problems.ts`)'],
    ['server/lib/canary.ts', "new Worker(new URL('../sqlite-worker.ts', import.meta.url))"],
    ['server/lib/canary.ts', "const file = '../sqlite-worker.ts'"],
    ['server/lib/canary.ts', "require('../problems')"],
    ['server/lib/canary.ts', 'await import(name)'],
    ['server/lib/canary.ts', "import { startStowage } from '../../test/support/stowage.ts'"],
    ['server/problems.ts', "import { packageName } from './names.ts'"],
    ['server/http/canary.ts', "import type { UserRow } from '../catalogue/users.ts'"],
    ['server/http/api/canary.ts', "import type { Location } from '../../blobs/blob-store.ts'"],
    ['server/http/api/canary.ts', "import { readSettings } from '../../config.ts'"],
    ['server/access/canary.ts', "import { publish } from '../registry/publish.ts'"],
    ['server/registry/canary.ts', "import { json } from '../http/api/answers.ts'"],
    ['server/jobs/canary.ts', "import { userById } from '../catalogue/users.ts'"],
    ['server/catalogue/migrations/0009-canary.ts', "import type { Schema } from '../schema.ts'"],
    ['server/catalogue/canary.ts', "import { packageName } from '../names.ts'"],
    ['server/blobs/canary.ts', "import { blobById } from '../catalogue/blobs.ts'"],
    ['cli/canary.ts', "import { compose } from '../server/compose.ts'"],
    ['cli/operator/canary.ts', "import { Accounts } from '../../server/access/accounts.ts'"],
    ['client/canary.ts', "import { parseSize } from '../server/lib/sizes.ts'"],
    ['server/canary/new.ts', ''],
    ['server/canary.ts', ''],
  ]
  test.each(canaries)('see %s: %j', (path, source) => {
    expect(violations(new Map([[path, source]]))).toHaveLength(1)
  })

  test('leave tests, packages and what is allowed alone', () => {
    const tree = new Map([
      ['server/lib/sizes.test.ts', "import { Problem } from '../problems.ts'"],
      ['server/blobs/blob-store.contract.ts', "import { Problem } from '../http/app.ts'"],
      [
        'server/lib/fine.ts',
        "import { z } from 'zod'\nimport { join } from 'node:path'\nimport { a } from './sizes.ts'",
      ],
      ['server/http/api/fine.ts', "import { a } from '../parts.ts'\nexport { b } from '../../access/grant.ts'"],
      ['server/main.ts', "const text = await Bun.file(new URL('../package.json', import.meta.url)).text()"],
    ])
    expect(violations(tree)).toEqual([])
  })
})

describe('the linter', () => {
  /** What the linter says of a tree of sources under the project's own rules: `file:line` by rule. */
  async function lint(tree: Tree): Promise<{ rule: string; place: string }[]> {
    const folder = await mkdtemp(join(tmpdir(), 'stowage-layers-'))
    try {
      await cp(join(root, 'biome.json'), join(folder, 'biome.json'))
      for (const [path, source] of tree) {
        await mkdir(join(folder, dirname(path)), { recursive: true })
        await Bun.write(join(folder, path), source)
      }
      const biome = join(root, 'node_modules/.bin/biome')
      const options = ['--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none']
      const child = Bun.spawn([biome, 'lint', ...options, '.'], { cwd: folder, stdout: 'pipe', stderr: 'pipe' })
      const text = await new Response(child.stdout).text()
      return [...text.matchAll(/title=lint\/\w+\/(\w+),file=([^,]+),line=(\d+)/g)].map(
        ([, rule = '', file = '', line]) => ({
          rule,
          place: `${file.startsWith('/') ? relative(folder, file) : posix.normalize(file)}:${line}`,
        }),
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  // One file of each place in the table, and some that the table names by themselves.
  const targets = [
    ...Object.keys(table).map((place) => (place.endsWith('.ts') ? place : `${place}/some.ts`)),
    'server/catalogue/jobs.ts',
    'server/catalogue/transaction.ts',
    'server/http/api/some.ts',
  ]
  const importers = [
    ...Object.keys(table).map((place) => (place.endsWith('.ts') ? place : `${place}/canary.ts`)),
    'server/http/api/canary.ts',
    'server/http/packages/canary.ts',
  ]

  test('draws the same lines as the table', async () => {
    const tree = new Map<string, string>()
    const expected: string[] = []
    for (const importer of importers) {
      const lines = targets
        .filter((target) => target !== importer)
        .map((target) => {
          const path = posix.relative(posix.dirname(importer), target)
          return `export { a } from '${path.startsWith('.') ? path : `./${path}`}'`
        })
      tree.set(importer, lines.join('\n'))
      lines.forEach((line, index) => {
        if (violations(new Map([[importer, line]])).length > 0) expected.push(`${importer}:${index + 1}`)
      })
    }
    const found = (await lint(tree)).filter(({ rule }) => rule === 'noRestrictedImports')
    expect(expected.length).toBeGreaterThan(100)
    expect(found.map(({ place }) => place).sort()).toEqual(expected.sort())
  })

  test('sees imports that go in a circle', async () => {
    const tree = new Map([
      ['server/lib/one.ts', "import { two } from './two.ts'\nexport const one = () => two()\n"],
      ['server/lib/two.ts', "import { one } from './one.ts'\nexport const two = () => one()\n"],
    ])
    const found = await lint(tree)
    expect(found.filter(({ rule }) => rule === 'noImportCycles')).toHaveLength(2)
  })
})
