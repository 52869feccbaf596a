import { expect, test } from 'bun:test'
import { join } from 'node:path'

test("the client's types are those that the routes of this source tree have now", async () => {
  const root = join(import.meta.dir, '..', '..')
  const generator = join(root, 'client', 'generate', 'generate.ts')
  const child = Bun.spawn([process.execPath, generator, '--print'], { cwd: root, stdout: 'pipe', stderr: 'inherit' })
  const [now, exitCode] = await Promise.all([new Response(child.stdout).text(), child.exited])
  expect(exitCode).toBe(0)
  const written = await Bun.file(join(root, 'client', 'schema.d.ts')).text()
  if (now !== written) throw new Error('client/schema.d.ts is not what the routes say now: run `npm run client`')
})
