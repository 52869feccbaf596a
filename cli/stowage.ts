import { UsageError } from './arguments.ts'
import { forgetSecrets } from './operator/forget-secrets.ts'
import { migrate } from './operator/migrate.ts'
import { resetAdmin } from './operator/reset-admin.ts'
import { serve } from './operator/serve.ts'

const commands: Record<string, { run: (args: string[]) => Promise<void>; summary: string }> = {
  serve: { run: serve, summary: 'start the server (the same as npm start)' },
  migrate: { run: migrate, summary: 'move the database from SQLite to PostgreSQL, or the files from the disk to S3' },
  'forget-secrets': {
    run: forgetSecrets,
    summary: 'go on with a new secret key where the old one is lost; the server must be stopped',
  },
  'reset-admin': {
    run: resetAdmin,
    summary: 'give an administrator a new password; the server may be running or stopped',
  },
}

function usage(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(16)}${summary}`)
  return `stowage COMMAND\n\n${lines.join('\n')}\n\nSettings are read from STOWAGE_… variables, as by the server.\n`
}

const [name = '--help', ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined
if (name === '--help' || name === '-h' || name === 'help') {
  process.stdout.write(usage())
} else if (!command) {
  process.stderr.write(`stowage: there is no command ${name}\n\n${usage()}`)
  process.exit(2)
} else {
  try {
    await command.run(args)
  } catch (error) {
    const isUsage = error instanceof UsageError
    const hint = isUsage ? `\nstowage ${name} --help says what there is.` : ''
    process.stderr.write(`stowage ${name}: ${error instanceof Error ? error.message : String(error)}${hint}\n`)
    process.exit(isUsage ? 2 : 1)
  }
}
