import { expect, test } from 'bun:test'

/** What a process writes that logs this message. */
async function logged(format: 'pretty' | 'json', message: string): Promise<string> {
  const script = `import { openLog } from ${JSON.stringify(import.meta.resolve('./log.ts'))}
    ;(await openLog({ format: '${format}', level: 'debug' })).debug(${JSON.stringify(message)})`
  const child = Bun.spawn([process.execPath, '-e', script], { stderr: 'pipe' })
  return new Response(child.stderr).text()
}

test.each(['pretty', 'json'] as const)('a message stays on one line and steers no terminal: %s', async (format) => {
  const text = await logged(format, 'field: a\n[00:00:00] INFO: all is well \u001b[2J\u007f\u009b\u2028 end')
  expect(text.trimEnd().split('\n')).toHaveLength(1)
  expect(text).toContain('field: a\\n[00:00:00] INFO: all is well \\u001b[2J')
  expect(text).not.toContain('\u001b[2J')
  expect(text).toContain(' end')
})
