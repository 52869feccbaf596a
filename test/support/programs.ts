import { test } from 'bun:test'
import { notRun } from './not-run.ts'

/** Debian's packages. */
const packages = {
  curl: 'curl',
  wget: 'wget',
  aria2c: 'aria2',
  npm: 'npm',
  openssl: 'openssl',
  script: 'bsdutils',
  pgbouncer: 'pgbouncer',
  nginx: 'nginx-light',
  nice: 'coreutils',
} as const

export type Program = keyof typeof packages

/**
 * `test` for what real programs do. Where one is not installed the test is left out, loudly; not in CI, where what did
 * not run would look like what passed.
 */
export function testWith(...programs: Program[]): typeof test | typeof test.skip {
  const missing = programs.filter((program) => !Bun.which(program))
  if (missing.length === 0 || process.env.CI) return test
  const names = missing.map((program) => packages[program])
  notRun(`a test needs ${missing.join(', ')} (apt-get install ${names.join(' ')})`)
  return test.skip
}

/** Runs a program in a folder, without settings that the developer may have made for it. */
export async function run(
  folder: string,
  program: Program,
  ...args: string[]
): Promise<{ exitCode: number; output: string; errors: string }> {
  const child = Bun.spawn([program, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C', NO_PROXY: '*', no_proxy: '*' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [output, errors, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { exitCode, output, errors }
}
