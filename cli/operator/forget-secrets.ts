import { openSecrets } from '../../server/compose.ts'
import { readSettings } from '../../server/config.ts'
import { readArguments } from '../arguments.ts'

const help = `stowage forget-secrets --yes

For an installation whose secret key is lost: the setting STOWAGE_SECRET_KEY or, without it, the file secret-key in
STOWAGE_DATA_DIR. Stop every server first. Removes what only that key could read, and takes the present key from now on
(a new one is made where there is none):

  second factors  accounts that had one sign in with their password alone, and set one up anew
  links           invitations and links to set a new password no longer work: send new ones
  sessions        everybody signs in anew
  webhooks        those with a secret or an Authorization header are turned off: set them again, and "active" to true

Passwords, tokens, packages and everything else stay as they are. Without --yes, only says how many of these there are.
`

interface Counts {
  secondFactors: number
  enrolments: number
  links: number
  sessions: number
  webhooks: number
}

export async function forgetSecrets(args: string[]): Promise<void> {
  const { yes, help: asked } = readArguments(args, { yes: { type: 'boolean' } })
  if (asked) {
    process.stdout.write(help)
    return
  }
  const secrets = await openSecrets(readSettings(process.env))
  try {
    if (!yes) {
      const what = listed(await secrets.count())
      throw new Error(`this would remove ${what}. Nothing was changed. Add --yes to do it.`)
    }
    const forgotten = await secrets.forget()
    process.stdout.write(`Removed ${listed(forgotten)}.\n${advice(forgotten)}`)
  } finally {
    await secrets.close()
  }
}

function listed({ secondFactors, enrolments, links, sessions, webhooks }: Counts): string {
  const parts = [
    `the second factor of ${counted(secondFactors, 'account')}`,
    counted(enrolments, 'unconfirmed second factor'),
    counted(links, 'open link'),
    counted(sessions, 'session'),
  ]
  return `${parts.join(', ')} and the secrets of ${counted(webhooks, 'webhook')}`
}

function advice({ secondFactors }: Counts): string {
  const weaker =
    secondFactors === 0
      ? ''
      : `${counted(secondFactors, 'account')} can now sign in with the password alone: ask whose they are to set up a second factor again.\n`
  return `${weaker}The present secret key is the installation's from now on: give every server the same one.\n`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
