import { describe, expect, test } from 'bun:test'

/** What a process writes that logs this message. */
function logged(format: 'pretty' | 'json', message: string): Promise<string> {
  return written(format, `log.debug(${JSON.stringify(message)})`)
}

async function written(format: 'pretty' | 'json', use: string): Promise<string> {
  const script = `import { openLog } from ${JSON.stringify(import.meta.resolve('./log.ts'))}
    const log = await openLog({ format: '${format}', level: 'debug' })
    ${use}`
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

describe.each(['pretty', 'json'] as const)('an error is told with its reason: %s', (format) => {
  const cases: [what: string, thrown: string, ...told: string[]][] = [
    ['with its cause', "throw new Error('above', { cause: new TypeError('below') })", 'above', 'below', 'TypeError'],
    ['a module that is not there', "await import('stowage-has-no-such-package')", 'Cannot find', 'no-such-package'],
    ['one that cannot be compiled', "await import('data:text/javascript,let a = ;')", 'Unexpected ;'],
    [
      'several at once',
      "throw new AggregateError([await import('stowage-has-no-such-package').catch((error) => error)], 'all of them')",
      'all of them',
      'Cannot find',
    ],
    ['that is none', "throw 'just a sentence'", 'just a sentence'],
    ['that refers to itself', "const error = new Error('round'); error.itself = { error }; throw error", 'round'],
  ]
  test.each(cases)('%s', async (_, thrown, ...told) => {
    const text = await written(format, `try { ${thrown} } catch (err) { log.error({ err }, 'It failed') }`)
    for (const part of [...told, 'It failed']) expect(text).toContain(part)
    expect(text).not.toContain('unable to serialize')
  })
})
