import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Failure } from './failure.ts'
import { cpuMicroseconds, untilQuiet } from './process-cost.ts'
import { startStowage } from './stowage.ts'

/* How much CPU time the pages of a package with many versions cost: npm run bench:pages. Linux only. */

const versions = 1_000
const warmUps = 200
const requests = 500
/** What such a page may cost, in milliseconds. */
const allowed = 10

const base = '/bench/-/packages/generic/tool'
const pages = [
  { name: 'package', path: base },
  { name: 'all versions', path: `${base}/versions` },
  { name: 'all versions, page 20 by size', path: `${base}/versions?sort=size&page=20` },
  { name: 'all versions, filtered', path: `${base}/versions?q=.9` },
  { name: 'one version', path: `${base}/1.500` },
]

const readme = `# Tool\n\n${'Text with *emphasis*, `code` and [links](https://example.com/).\n\n'.repeat(100)}`

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-bench-pages-'))
  const stop = new AbortController()
  try {
    await using server = await startStowage(resolve(import.meta.dir, '../server/main.ts'), folder, stop.signal)
    const content = Buffer.from('x')
    for (let version = 0; version < versions; version++) {
      await server.fill(`/api/packages/bench/generic/tool/1.${version}/tool.zip`, content)
    }
    const written = await fetch(`${server.origin}/api/v1/packages/bench/generic/tool/-/metadata`, {
      method: 'PATCH',
      headers: { ...server.put?.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ readme, description: 'A tool', labels: ['bench'] }),
    })
    if (written.status !== 200) throw new Failure(`no README: ${written.status} ${await written.text()}`)

    console.log(`| page (of a package with ${versions.toLocaleString('en-GB')} versions) | CPU ms | kB, compressed |`)
    console.log('| --- | ---: | ---: |')
    let most = 0
    for (const { name, path } of pages) {
      await ask(server.origin + path, warmUps)
      await untilQuiet(server.pid, stop.signal)
      const before = cpuMicroseconds(server.pid)
      const size = await ask(server.origin + path, requests)
      await untilQuiet(server.pid, stop.signal)
      const after = cpuMicroseconds(server.pid)
      if (before === undefined || after === undefined) throw new Failure('CPU time is told on Linux alone')
      const milliseconds = (after - before) / 1000 / requests
      most = Math.max(most, milliseconds)
      console.log(`| ${name} | ${milliseconds.toFixed(2)} | ${(size / 1000).toFixed(1)} |`)
    }
    if (most >= allowed) throw new Failure(`a page took ${most.toFixed(2)} ms; ${allowed} are allowed`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Asks for a page, one time after the other; its bytes as they are sent. */
async function ask(url: string, times: number): Promise<number> {
  let size = 0
  for (let asked = 0; asked < times; asked++) {
    const response = await fetch(url, { headers: { 'accept-encoding': 'gzip' }, decompress: false })
    if (response.status !== 200) throw new Failure(`GET ${url}: ${response.status}, not 200`)
    size = (await response.arrayBuffer()).byteLength
  }
  return size
}

await main().catch((error) => {
  console.error(error instanceof Failure ? error.message : error)
  process.exitCode = 1
})
