import { expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startStowage } from '../stowage.ts'
import { fill } from './fill.ts'
import { addressOf, contentOf, filesOf } from './site.ts'

const site = { packages: 3, versionsOfEach: 4 }

test('what was written beside the server is a site that it serves', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stowage-bench-fill-'))
  const start = () =>
    startStowage(resolve(import.meta.dir, '../../server/main.ts'), folder, AbortSignal.timeout(50_000))
  try {
    await (await start())[Symbol.asyncDispose]()
    await fill(join(folder, 'stowage'), site, new AbortController().signal, () => {})
    await using stowage = await start()
    for (let file = 0; file < filesOf(site); file += 1) {
      const answer = await fetch(stowage.origin + addressOf(site, file))
      expect(answer.status).toBe(200)
      expect(Buffer.compare(await answer.bytes(), contentOf(file))).toBe(0)
    }
    const listed = await fetch(`${stowage.origin}/api/v1/packages/bench`)
    expect(listed.headers.get('x-total-count')).toBe(String(filesOf(site)))
    expect(await listed.json()).toHaveLength(filesOf(site))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
