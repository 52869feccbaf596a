import { openAccounts } from '../../server/compose.ts'
import { readSettings } from '../../server/config.ts'
import { forgetFirstPassword, randomPassword } from '../../server/first-admin.ts'
import { readArguments } from '../arguments.ts'

const help = `stowage reset-admin [--username NAME]

Gives an administrator a new random password, prints it once, and lets the account sign in again. Removes the account's
second factor and passkeys, and ends its sessions.
NAME may be left out where there is only one administrator.
`

/** Works on the database itself, beside a running server: who can read the data directory owns the installation. */
export async function resetAdmin(args: string[]): Promise<void> {
  const { username, help: asked } = readArguments(args, { username: { type: 'string' } })
  if (asked) {
    process.stdout.write(help)
    return
  }
  const settings = readSettings(process.env)
  const { accounts, close } = await openAccounts(settings)
  try {
    const password = randomPassword()
    const { name, lostSecondFactor, lostPasskeys } = await accounts.resetAdministrator(username, password)
    await forgetFirstPassword(settings)
    if (lostSecondFactor) process.stdout.write(`${name} has no second factor any more.\n`)
    if (lostPasskeys) process.stdout.write(`${name} has no passkeys any more.\n`)
    process.stdout.write(`${name} is signed out of every browser.\n`)
    process.stdout.write(`${name} has a new password: ${password}\n`)
  } finally {
    await close()
  }
}
