import { expect } from 'bun:test'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TOTP } from 'otpauth'
import { testOnSqlite } from '../support/database.ts'
import { adminPassword, startStowage } from '../support/stowage.ts'

/** Commands of the manual's chapter in their order, each with the statuses that its comment promises. */
async function commandsOf(chapter: string): Promise<{ command: string; promised: string[] }[]> {
  const text = await readFile(join(import.meta.dir, '../../docs', chapter), 'utf8')
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
  return blocks
    .join('')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [command = '', comment = ''] = line.split(/ {2,}# /)
      return { command, promised: comment.match(/\b\d{3}\b/g) ?? [] }
    })
}

/** Stands in the place of `curl`, and notes the status of every answer, also of one that leads elsewhere. */
const curl = `
curl() {
  command curl -sS -D headers "$@"; local code=$?
  grep -ao '^HTTP/[0-9.]* [0-9]*' headers | cut -d' ' -f2 | grep -v 100 >> statuses
  return $code
}
`

testOnSqlite.each(['access.md', 'api.md'])('the commands of docs/%s work as they are written', async (chapter) => {
  let now = Date.now()
  const settings = { STOWAGE_METRICS_TOKEN: 'known-to-prometheus' }
  await using stowage = await startStowage({ settings, replace: { now: () => now, background: 'on' } })
  const folder = await mkdtemp(join(tmpdir(), 'stowage-walk-'))
  const commands = await commandsOf(chapter)
  expect(commands.length).toBeGreaterThan(35)
  const variables = commands.flatMap(({ command }) => /^(?:export )?([A-Z][A-Z0-9_]*)=/.exec(command)?.[1] ?? [])
  let secret = ''
  try {
    await writeFile(join(folder, 'state'), curl)
    for (const { command, promised } of commands) {
      await writeFile(join(folder, 'statuses'), '')
      // Each code works once: the phone shows another one after half a minute.
      if (command.includes('123456')) now += 30_000
      const code = secret && new TOTP({ secret }).generate({ timestamp: now })
      const run = command
        .replace('http://127.0.0.1:3000', stowage.url)
        .replace('admin:PASSWORD', `admin:${adminPassword}`)
        .replace('123456', code)
      // What a command sets is there for the next one, as in a terminal.
      const script = `. ./state\n${run}\nstatus=$?\n{ declare -f; declare -p ${variables.join(' ')}; } > state 2>/dev/null\nexit $status`
      const shell = Bun.spawn(['bash', '-c', script], { cwd: folder, stdout: 'pipe', stderr: 'pipe' })
      const [output, complaint] = await Promise.all([
        new Response(shell.stdout).text(),
        new Response(shell.stderr).text(),
      ])
      secret = /"secret":"([A-Z2-7]+)"/.exec(output)?.[1] ?? secret
      const got = (await readFile(join(folder, 'statuses'), 'utf8')).split('\n').filter(Boolean)
      expect({ command, complaint, status: await shell.exited, got: got.sort() }).toEqual({
        command,
        complaint: '',
        status: 0,
        got: [...promised].sort(),
      })
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
