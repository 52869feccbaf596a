import { finishJob, type Job } from '../catalogue/jobs.ts'
import { deleteExpiredLinks, type LinkRow, linkById } from '../catalogue/links.ts'
import { type Catalogue, transaction } from '../catalogue/transaction.ts'
import { type Mail, MailError, type Mailer } from '../lib/mail.ts'
import type { SecretKey } from '../lib/sealed.ts'
import { codeOf, linkAddress } from './links.ts'

/** The job that mails a link; its subject is the link's id. */
export const mailJob = 'mail'

/** The job that removes links that have expired. */
export const expiredLinksJob = 'expired-links'

export const strikeMail = transaction('strike mail', async (tx, { job }: { job: Job }) => finishJob(tx, job))

export const dropExpiredLinks = transaction('drop expired links', async (tx, { now }: { now: number }) =>
  deleteExpiredLinks(tx, now),
)

export interface LinkMailParts {
  catalogue: Catalogue
  secrets: SecretKey
  now: () => number
  publicUrl: () => string
  mailer: Mailer
}

/** Mails a link, unless it was used or withdrawn meanwhile, or has expired. */
export async function mailLink(parts: LinkMailParts, job: Job, signal: AbortSignal): Promise<void> {
  const { catalogue, secrets, now, publicUrl, mailer } = parts
  const link = await linkById(catalogue.read, Number(job.subject))
  if (link?.email && link.expires_at > now()) {
    const code = codeOf(secrets, link)
    await mailer.send({ to: link.email, ...letter(link, publicUrl(), code) }, signal).catch((error) => {
      throw withoutCode(error, code)
    })
  }
  await catalogue.transact(strikeMail, { job })
}

/** Servers repeat what they refuse, and what failed is kept where others read it. */
function withoutCode(error: unknown, code: string): unknown {
  // A new one, whose stack does not have it either.
  return error instanceof MailError ? new MailError(error.message.replaceAll(code, '[secret]'), error.reply) : error
}

/**
 * Nothing in it is free text of whoever made the link but the names of a team and its maker: nobody sends his own letters to
 * strangers by this site.
 */
export function letter(link: LinkRow, publicUrl: string, code: string): Omit<Mail, 'to'> {
  const { host } = new URL(publicUrl)
  const until = timeOf(link.expires_at)
  return link.kind === 'invitation'
    ? {
        subject: `Your invitation to ${host}`,
        text: paragraphs(
          'Hello,',
          `${link.maker} invites you to Stowage, the package registry at\n${publicUrl}${teamOf(link)}.`,
          `To accept, open this link:\n${linkAddress(publicUrl, link.kind, code)}`,
          `It works once, until ${until}. If you did not expect it, there is nothing to do.`,
        ),
      }
    : {
        subject: `A new password for ${host}`,
        text: paragraphs(
          `Hello ${link.user},`,
          `${reasonOf(link)} at\n${publicUrl}`,
          `To set one, open this link:\n${linkAddress(publicUrl, link.kind, code)}`,
          `It works once, until ${until}. If you want none, there is nothing to do: the old one stays.`,
        ),
      }
}

function reasonOf({ maker }: LinkRow): string {
  return maker === null
    ? 'Somebody, probably you, asked for a new password'
    : `${maker}, an administrator, lets you set a new password`
}

function teamOf({ team, organisation }: LinkRow): string {
  return team === null ? '' : `\nto join the team ${oneLine(team)} of ${organisation}`
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim()
}

function paragraphs(...texts: string[]): string {
  return `${texts.join('\n\n')}\n`
}

/** Such as `3 December 2026, 14:30 UTC`. */
function timeOf(milliseconds: number): string {
  const time = new Date(milliseconds)
  const day = time.toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' })
  return `${day}, ${time.toISOString().slice(11, 16)} UTC`
}
