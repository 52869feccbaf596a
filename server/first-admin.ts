import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Accounts } from './access/accounts.ts'
import type { Settings } from './config.ts'
import { writeDurably } from './lib/write-durably.ts'

/** What to tell whoever started the server. */
export type FirstAdmin =
  | { kind: 'exists' }
  | { kind: 'configured'; username: string }
  | { kind: 'shown'; username: string; password: string }
  | { kind: 'written'; username: string; file: string }

/**
 * Makes the first administrator where no user exists. A password that nobody chose is shown once on a terminal; without
 * one it goes to a file that only this user can read, so that it ends up in no log.
 */
export async function makeFirstAdmin(settings: Settings, accounts: Accounts, isTerminal: boolean): Promise<FirstAdmin> {
  if (!(await accounts.isEmpty())) return { kind: 'exists' }
  const username = settings.adminUsername
  const password = settings.adminPassword ?? randomPassword()
  const file = passwordFile(settings)
  const writes = settings.adminPassword === undefined && !isTerminal
  // The file first: an account whose password nobody ever saw would be worse than a file without an account.
  if (writes) await writeDurably(file, `${password}\n`, 0o600)
  // One that was printed is known to whoever reads that terminal or file: the first thing to do is to choose another.
  const mustChangePassword = settings.adminPassword === undefined
  const created = await accounts.createFirst({ name: username, password, mustChangePassword })
  if (!created) {
    if (writes) await rm(file, { force: true })
    return { kind: 'exists' }
  }
  if (settings.adminPassword !== undefined) return { kind: 'configured', username }
  return writes ? { kind: 'written', username, file } : { kind: 'shown', username, password }
}

/** Removes the file with the first password: it is out of date. */
export async function forgetFirstPassword(settings: Settings): Promise<void> {
  await rm(passwordFile(settings), { force: true })
}

function passwordFile(settings: Settings): string {
  return join(settings.dataDir, 'first-admin-password')
}

/** 120 bits, without signs that a shell would read. */
export function randomPassword(): string {
  return randomBytes(15).toString('base64url').replace(/^-/, '_')
}
