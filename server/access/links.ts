import { randomBytes } from 'node:crypto'
import { deleteLink, type LinkKind, type LinkRow, linkByHash } from '../catalogue/links.ts'
import { lockAccounts, lockByName, shared } from '../catalogue/named-locks.ts'
import { ownerById } from '../catalogue/owners.ts'
import type { Db, Tx } from '../catalogue/schema.ts'
import { userById } from '../catalogue/users.ts'
import { sha256 } from '../lib/digests.ts'
import type { SecretKey } from '../lib/sealed.ts'
import { Problem } from '../problems.ts'
import { maySignIn } from './caller.ts'
import { FailedAttempts } from './failed-attempts.ts'

/** For those who may not import the catalogue. */
export type { LinkKind, LinkRow }

/** What a link's row holds of its code. */
export interface StoredCode {
  nonce: string
  sha256: string
}

/**
 * The code of a link follows from a nonce and the secret key: the row holds nonce and hash, from which alone no code follows, and
 * the mail that is sent later can still carry it.
 */
export function newCode(secrets: SecretKey, kind: LinkKind): StoredCode & { code: string } {
  const nonce = randomBytes(16).toString('base64url')
  const code = codeOf(secrets, { kind, nonce })
  return { nonce, code, sha256: sha256(code) }
}

export function codeOf(secrets: SecretKey, { kind, nonce }: Pick<LinkRow, 'kind' | 'nonce'>): string {
  return secrets.code('link', kind, nonce)
}

/** In the fragment, which browsers keep to themselves: no log and no `Referer` shows it. */
export function linkAddress(publicUrl: string, kind: LinkKind, code: string): string {
  return `${publicUrl}/user/${kind}#${code}`
}

/** The hash to look a code up by; a text that can be none is a link that does not exist. */
export function codeHash(kind: LinkKind, code: string): string {
  if (!/^[A-Za-z0-9_-]{43}$/.test(code)) throw noSuchLink(kind)
  return sha256(code)
}

/** One sentence for all: what was never a link, was used, has expired, or was made by somebody who may no longer. */
export function noSuchLink(kind: LinkKind): Problem {
  const name = kind === 'invitation' ? 'invitation' : 'link'
  return new Problem(
    'not-found',
    `This ${name} is not valid, or not any more: it works once and for a limited time. Ask for another one.`,
  )
}

/** Links lead to a password, so there are none where passwords are turned off. */
export function mustTakePasswords(passwordLogin: boolean): void {
  if (passwordLogin) return
  throw new Problem(
    'unprocessable',
    'Passwords are turned off here (STOWAGE_PASSWORD_LOGIN), so there are no invitations and no links to set one.',
  )
}

/** The hash of a code that seems good: looked up before a password is hashed for it, which is what costs. `useLink` decides. */
export async function goodCode(db: Db, kind: LinkKind, code: string, now: number): Promise<string> {
  const sha256 = codeHash(kind, code)
  const link = await linkByHash(db, { kind, sha256 })
  if (!link || link.expires_at <= now) throw noSuchLink(kind)
  return sha256
}

/**
 * Uses a link up, in the transaction that does what it is for: what that throws leaves it unused. Holds alone whoever gets a
 * new password, and shares the locks of all others: `others`, the maker, the organisation.
 */
export async function useLink(
  tx: Tx,
  wanted: { kind: LinkKind; sha256: string; others: readonly number[]; now: number },
): Promise<LinkRow> {
  const { kind, others, now } = wanted
  const link = await linkByHash(tx, wanted)
  if (!link) throw noSuchLink(kind)
  await lockAccounts(tx, { alone: given(link.user_id), shared: [...others, ...given(link.created_by)] })
  if (link.organisation_id !== null) await lockByName(tx, [shared(`owner ${link.organisation_id}`)])
  if (!(await deleteLink(tx, link.id)) || !(await isGood(tx, link, now))) throw noSuchLink(kind)
  return link
}

/** Whether it has not expired, and whoever made it might make it now. */
async function isGood(tx: Tx, link: LinkRow, now: number): Promise<boolean> {
  if (link.expires_at <= now) return false
  // The person asked for it himself.
  if (link.kind === 'password-reset' && link.created_by === null) return true
  const maker = link.created_by === null ? undefined : await userById(tx, link.created_by)
  if (!maker || !maySignIn(maker)) return false
  if (maker.is_admin === 1) return true
  if (link.organisation_id === null) return false
  const organisation = await ownerById(tx, { id: link.organisation_id, userId: maker.id })
  return organisation?.membership === 'owner'
}

function given(id: number | null): number[] {
  return id === null ? [] : [id]
}

/** Refuses whoever has sent wrong codes too often, before anything is looked up for him. */
export class CodeAttempts {
  readonly #wrong: FailedAttempts

  constructor(now: () => number) {
    this.#wrong = new FailedAttempts(now)
  }

  async counted<Result>(sender: string, use: () => Promise<Result>): Promise<Result> {
    const wait = this.#wrong.mustWait('any link', sender)
    if (wait !== undefined) {
      throw new Problem('too-many-attempts', `Too many wrong links. Try again in ${wait} seconds.`, {
        retry_after: wait,
      })
    }
    try {
      return await use()
    } catch (error) {
      if (error instanceof Problem && error.code === 'not-found') this.#wrong.begin('any link', sender)
      throw error
    }
  }
}
