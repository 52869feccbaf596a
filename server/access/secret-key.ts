import { liveProcesses } from '../catalogue/leases.ts'
import { deleteAllSecrets } from '../catalogue/second-factors.ts'
import { addSiteFact, setSiteFact, siteFact } from '../catalogue/site.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import type { SecretKey } from '../lib/sealed.ts'
import { Problem } from '../problems.ts'
import { audit } from './audit.ts'

const key = 'secret-key'

export const rememberSecretKey = transaction('remember secret key', async (tx, args: { check: string }) => {
  await addSiteFact(tx, key, args.check)
  return (await siteFact(tx, key)) ?? args.check
})

/**
 * Refuses a secret key that is not the installation's: it would open nothing that another node, or this one earlier, has
 * sealed. Of nodes that start together for the first time, the first one decides.
 */
export async function matchSecretKey(catalogue: Catalogue, secrets: SecretKey): Promise<void> {
  const check = secrets.check()
  const known = (await siteFact(catalogue.read, key)) ?? (await catalogue.transact(rememberSecretKey, { check }))
  if (known === check) return
  throw new Problem(
    'storage-unavailable',
    'This server has another secret key than its installation, and could not read what is encrypted there. ' +
      "Set STOWAGE_SECRET_KEY to the installation's key: the content of secret-key in the data directory of its first server, " +
      'unless that one has the setting too. Where that key is lost, stop every server and run npm run stowage -- forget-secrets.',
  )
}

/**
 * Refuses to make a key where the installation has had one: a new one would open nothing, and get into the next backup.
 * `isNewNode`: nothing was lost here, as no server has run on this data directory yet.
 */
export async function mustBeFirstKey(catalogue: Catalogue, file: string, isNewNode: boolean): Promise<void> {
  if ((await siteFact(catalogue.read, key)) === undefined) return
  const wanted = isNewNode
    ? "This is not the first server of this database: set STOWAGE_SECRET_KEY to the first one's key (its setting, or the " +
      'file secret-key in its data directory).'
    : `${file} is missing, and this installation has secrets that only it can open. Put the file back from a backup, or set ` +
      'STOWAGE_SECRET_KEY to its content.'
  throw new Problem(
    'storage-unavailable',
    `${wanted} Where it is lost, npm run stowage -- forget-secrets says what that costs.`,
  )
}

/** What goes with a key that is lost. */
export interface Forgotten {
  /** Accounts that had a second factor. */
  secondFactors: number
  /** Second factors that nobody had confirmed yet. */
  enrolments: number
  /** Invitations, and links to set a new password. */
  links: number
  sessions: number
  /** Webhooks with a secret or an Authorization header, which are turned off. */
  webhooks: number
}

/** Removes all that the installation's key has sealed or signed, and takes this one from now on. */
export const forgetSecrets = transaction('forget secrets', async (tx, args: { check: string; now: number }) => {
  const servers = await liveProcesses(tx, args.now)
  if (servers > 0) {
    throw new Problem(
      'storage-unavailable',
      'A server still uses that database, or died less than two minutes ago. Stop every server, then run the command again.',
    )
  }
  const forgotten: Forgotten = await deleteAllSecrets(tx)
  await setSiteFact(tx, key, args.check)
  const { secondFactors, enrolments, links, sessions } = forgotten
  const details = { second_factors: secondFactors, enrolments, links, sessions }
  await audit(tx, 'operator', args.now, { action: 'secrets.forgotten', details })
  return forgotten
})
