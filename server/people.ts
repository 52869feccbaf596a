import { Access } from './access/access.ts'
import { Accounts } from './access/accounts.ts'
import { Administration } from './access/administration.ts'
import { AuditLog } from './access/audit-log.ts'
import { AwaitedCodes } from './access/awaited-codes.ts'
import { DeployTokens } from './access/deploy-tokens.ts'
import { Invitations } from './access/invitations.ts'
import { LastUses } from './access/last-uses.ts'
import { dropExpiredLinks, expiredLinksJob, type LinkMailParts, mailJob, mailLink } from './access/link-mail.ts'
import { Organisations } from './access/organisations.ts'
import { OwnAccount } from './access/own-account.ts'
import { OwnerNames } from './access/owner-names.ts'
import { PackageAccess } from './access/package-access.ts'
import { Passkeys } from './access/passkeys.ts'
import { forgottenPasswordJob, PasswordResets } from './access/password-resets.ts'
import { type PasswordCost, Passwords } from './access/passwords.ts'
import { SecondFactors } from './access/second-factor.ts'
import { Sessions } from './access/sessions.ts'
import { SignIns } from './access/sign-ins.ts'
import { SignUp } from './access/sign-up.ts'
import { Teams } from './access/teams.ts'
import { Tokens } from './access/tokens.ts'
import type { Catalogue } from './catalogue/transaction.ts'
import type { Settings } from './config.ts'
import type { JobKind } from './jobs/runner.ts'
import { type Mailer, openMailer } from './lib/mail.ts'
import type { SecretKey } from './lib/sealed.ts'

export interface PeopleParts {
  catalogue: Catalogue
  settings: Settings
  secrets: SecretKey
  now: () => number
  passwordCost: PasswordCost | undefined
  publicUrl: () => string
  /** Has jobs of a kind done at once. */
  wake: (kind: string) => void
}

export type People = ReturnType<typeof composePeople>

/** Everything that knows accounts: who is calling, what they may do, how they come and go. */
export function composePeople({ catalogue, settings, secrets, now, passwordCost, publicUrl, wake }: PeopleParts) {
  const passwords = new Passwords(now, passwordCost)
  const accounts = new Accounts({ catalogue, passwords, now })
  const lastUses = new LastUses({ catalogue, now })
  const signIns = new SignIns({ catalogue, now })
  const secondFactors = new SecondFactors({ catalogue, sealer: secrets.sealer('totp'), signIns, now })
  const awaitedCodes = new AwaitedCodes({ sealer: secrets.sealer('sign-in'), now })
  const { sessionIdle: idle, sessionLifetime: lifetime, passwordLogin } = settings
  const passkeyParts = { catalogue, sealer: secrets.sealer('passkeys'), signIns, now, publicUrl, passwordLogin }
  const mailer = mailerOf(settings)
  const mails = mailer && { wake: () => wake(mailJob), wakeForgotten: () => wake(forgottenPasswordJob) }
  const linkParts = { catalogue, passwords, secrets, now, publicUrl, passwordLogin, mails }
  const passwordResets = new PasswordResets(linkParts)
  return {
    passwords,
    lastUses,
    signIns,
    mailer,
    linkJobs: linkJobs({ ...linkParts, passwordResets, mailer }),
    /** What answers requests. */
    requests: {
      access: new Access({
        ...{ catalogue, passwords, secondFactors, awaitedCodes, lastUses, signIns, now },
        modes: { ...settings, someTakeNoPassword: () => settings.oidcProviders.length > 0 },
      }),
      accounts,
      ownAccount: new OwnAccount({ catalogue, passwords, now }),
      administration: new Administration({ catalogue, passwords, now }),
      ownerNames: new OwnerNames({ catalogue, now }),
      organisations: new Organisations({ catalogue, now }),
      teams: new Teams({ catalogue, now }),
      tokens: new Tokens({ catalogue, now }),
      deployTokens: new DeployTokens({ catalogue, now }),
      packageAccess: new PackageAccess({ catalogue, now }),
      secondFactors,
      passkeys: new Passkeys(passkeyParts),
      auditLog: new AuditLog({ catalogue, signIns, now, retention: settings.auditRetention }),
      sessions: new Sessions({ catalogue, lastUses, now, idle, lifetime }),
      signUp: new SignUp({ accounts, isOpen: settings.signUp, now }),
      invitations: new Invitations(linkParts),
      passwordResets,
    },
  }
}

function mailerOf({ smtpUrl, mailFrom }: Settings): Mailer | undefined {
  return smtpUrl === undefined || mailFrom === undefined ? undefined : openMailer({ url: smtpUrl, from: mailFrom })
}

/** What becomes of links without a request. A node that sends no mail leaves mails to those that do. */
function linkJobs(
  parts: Omit<LinkMailParts, 'mailer'> & { passwordResets: PasswordResets; mailer: Mailer | undefined },
): JobKind[] {
  const { catalogue, now, passwordResets, mailer } = parts
  const expired: JobKind = {
    kind: expiredLinksJob,
    every: 60 * 60_000,
    run: () => catalogue.transact(dropExpiredLinks, { now: now() }),
  }
  if (!mailer) return [expired]
  return [
    expired,
    // A day of them, as a mail server may be away for a night.
    { kind: mailJob, attempts: 36, run: (job, signal) => mailLink({ ...parts, mailer }, job, signal) },
    { kind: forgottenPasswordJob, run: (job) => passwordResets.answerForgotten(job) },
  ]
}
