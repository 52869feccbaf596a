import { z } from 'zod'
import { tokenName } from '../../http/api/tokens.ts'
import type { Form } from '../forms.ts'

/** What a token may be made for, in words; the others are kept for clients and do nothing here. */
export const scopeChoices = [
  { value: 'read:package', label: 'Read packages', hint: 'Search and download, also what only you may see.' },
  { value: 'write:package', label: 'Publish and delete packages', hint: 'Wherever you may; reading is part of it.' },
  { value: 'read:user', label: 'See your account', hint: 'Your profile and the names of your tokens.' },
  { value: 'write:user', label: 'Change your account', hint: 'Your profile and webhooks; further tokens like itself.' },
  { value: 'read:organization', label: 'See organisations', hint: 'Their members and teams.' },
  { value: 'write:organization', label: 'Run organisations', hint: 'Members, teams and settings, wherever you may.' },
] as const

export const adminScopeChoices = [
  { value: 'read:admin', label: 'See how the site is run', hint: 'Users, storage, jobs and the log.' },
  { value: 'write:admin', label: 'Run the site', hint: 'Users, quotas, storage and jobs.' },
] as const

export const everything = {
  value: 'all',
  label: 'Everything',
  hint: 'All that you may do, and what is added later.',
} as const

const words = new Map<string, string>([...scopeChoices, ...adminScopeChoices].map(({ value, label }) => [value, label]))

/** What a stored list of scopes allows, in words: `See organisations, publish and delete packages`. */
export function scopeWords(stored: string): string {
  const names = stored.split(',').filter((name) => name !== '' && name !== 'public-only')
  if (names.includes('all')) return 'Everything'
  // Who may write may read.
  const told = names.filter((name) => !(name.startsWith('read:') && names.includes(name.replace('read:', 'write:'))))
  const text = told.map((name) => lowered(words.get(name)) ?? `${name} (without effect here)`).join(', ')
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

function lowered(words: string | undefined): string | undefined {
  return words && words.slice(0, 1).toLowerCase() + words.slice(1)
}

export function isPublicOnly(stored: string): boolean {
  return stored.split(',').includes('public-only')
}

/** Days after which a token ends. */
export const lifetimes = { '7': 7, '30': 30, '90': 90, '365': 365 } as const

export const day = 24 * 60 * 60_000

/** Milliseconds; null: never; undefined where the day cannot be read or is over. A day counts to its end, in UTC. */
export function endOf(expires: keyof typeof lifetimes | 'date' | 'never', on: string, now: number) {
  if (expires === 'never') return null
  if (expires !== 'date') return now + lifetimes[expires] * day
  if (!z.iso.date().safeParse(on).success) return undefined
  const end = Date.parse(`${on}T00:00:00Z`) + day
  return end > now ? end : undefined
}

export interface TokenTyped {
  name: string
  scopes: readonly string[]
  publicOnly: boolean
  /** Patterns, one on each line. */
  packages: string
  expires: string
  on: string
}

export const blankToken: TokenTyped = { name: '', scopes: [], publicOnly: false, packages: '', expires: '90', on: '' }

export function tokenTyped(form: Form): TokenTyped {
  return {
    name: form.text('name'),
    scopes: form.all('scopes'),
    publicOnly: form.has('public_only'),
    packages: form.text('packages'),
    expires: form.text('expires'),
    on: form.text('on').trim(),
  }
}

/** What every form for a token asks for, beside its name and scopes. */
const limits = {
  publicOnly: z.boolean(),
  packages: z.string(),
  expires: z.enum(['7', '30', '90', '365', 'date', 'never'], 'choose when it ends'),
  on: z.string(),
}

type Limited = z.output<z.ZodObject<typeof limits>> & { name: string; scopes: string[] }

function limited(now: number) {
  return ({ name, scopes, publicOnly, packages, expires, on }: Limited, context: z.RefinementCtx) => {
    const end = endOf(expires, on, now)
    if (end === undefined) {
      context.addIssue({ code: 'custom', path: ['on'], message: 'choose a day, today or later' })
      return z.NEVER
    }
    return {
      name,
      scopes: publicOnly ? [...scopes, 'public-only'] : scopes,
      packages: linesOf(packages),
      expiresAt: end === null ? undefined : new Date(end),
    }
  }
}

/** What stands on the lines of a field, and nothing of it where they are empty. A comma parts as well. */
function linesOf(text: string): string[] | undefined {
  const lines = text.split(/[\s,]+/).filter((line) => line !== '')
  return lines.length === 0 ? undefined : lines
}

/** What the form of a deploy token asks for. */
export function deployTokenAsked(now: number) {
  return z
    .object({
      name: z.string().trim().min(1, 'type what the token is for').pipe(tokenName),
      scopes: z
        .array(z.enum(['read:package', 'write:package'], 'choose one of these'))
        .length(1, 'choose what it may do'),
      ...limits,
    })
    .transform(limited(now))
}

/** What a form asks for, for whom these scopes are offered. */
export function tokenAsked(isAdmin: boolean, now: number) {
  const offered = [...scopeChoices, ...(isAdmin ? adminScopeChoices : []), everything].map(({ value }) => value)
  return z
    .object({
      name: z.string().trim().min(1, 'type what the token is for').pipe(tokenName),
      scopes: z.array(z.enum(offered, 'choose among these')).min(1, 'choose what it may do, one thing at least'),
      ...limits,
    })
    .transform(limited(now))
}
