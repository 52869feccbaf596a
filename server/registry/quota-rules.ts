import type { QuotaNumbers, SiteQuotas, Usage } from '../catalogue/quotas.ts'

/** How much there may be at most: versions, and bytes of all files. Infinity where nobody has set a limit. */
export interface Bound {
  versions: number
  bytes: number
}

/** What bounds an upload at an owner; bytes. */
export interface QuotaLimits {
  owner: Bound
  /** All owners together. */
  site: Bound
  fileSize: number
}

const unbounded: Bound = { versions: Infinity, bytes: Infinity }

/** An administrator of the site is bound by its largest file size alone. */
export function limitsFor(quotas: SiteQuotas, own: QuotaNumbers, isAdmin: boolean): QuotaLimits {
  const ofOwner = (name: keyof QuotaNumbers) => (isAdmin ? Infinity : limitFrom(own[name] ?? quotas.owners[name]))
  const { site } = quotas
  return {
    owner: { versions: ofOwner('versions'), bytes: ofOwner('bytes') },
    site: isAdmin ? unbounded : { versions: limitFrom(site.versions), bytes: limitFrom(site.bytes) },
    fileSize: Math.min(ofOwner('file_size'), limitFrom(site.file_size)),
  }
}

function limitFrom(number: number | null): number {
  return number === null || number < 0 ? Infinity : number
}

export function isBounded({ versions, bytes }: Bound): boolean {
  return Number.isFinite(versions) || Number.isFinite(bytes)
}

export type Exceeded = 'versions' | 'file size' | 'bytes'

/** What an upload wants, beside what is there and what others have reserved. */
export interface Wanted {
  addsVersion: boolean
  /** Of the file, as far as it is known. */
  bytes: number
}

/** Which limit an upload would pass; `usages` has that of the site where it is known, and it decides. */
export function exceeded(
  limits: QuotaLimits,
  usages: { owner: Usage; site?: Usage | undefined },
  wanted: Wanted,
): Exceeded | undefined {
  const bounds: [Bound, Usage][] = [[limits.owner, usages.owner]]
  if (usages.site) bounds.push([limits.site, usages.site])
  if (wanted.bytes > limits.fileSize) return 'file size'
  if (wanted.addsVersion && bounds.some(([bound, usage]) => usedVersions(usage) + 1 > bound.versions)) return 'versions'
  return bounds.some(([bound, usage]) => wanted.bytes > roomIn(bound, usage)) ? 'bytes' : undefined
}

function usedVersions({ versions, reservedVersions }: Usage): number {
  return versions + reservedVersions
}

/** Bytes; below zero where there is more than there may be. */
export function roomIn({ bytes }: Bound, usage: Usage): number {
  return bytes - usage.bytes - usage.reservedBytes
}

const mebibyte = 1024 * 1024

/**
 * The most that an upload may say it will have and have written down, where no limit refuses it: of what many say no sum may
 * become too large for a database.
 */
const longestClaim = 2 ** 48

/** How much is reserved for an upload that needs so much. `isWhole`: it will have no more than that. */
export function reservedFor({ needed, isWhole }: { needed: number; isWhole: boolean }, room: number): number {
  const bytes = isWhole ? needed : stepFor(needed, room)
  return Number.isFinite(room) ? bytes : Math.min(bytes, longestClaim)
}

/** The most that an upload of unknown size reserves ahead of what has come. Bytes. */
export const longestStep = 16 * mebibyte

/**
 * How much an upload of unknown size reserves that needs so much now and for which there is that much room: the more room the more
 * ahead of what has come, so that it need not ask for every chunk; near the limit nothing, so that a file that just fits does, and
 * none is refused for what another one has reserved and will not need.
 */
export function stepFor(needed: number, room: number): number {
  const ahead = Math.min((room - needed) / 16, longestStep)
  return needed + Math.floor(ahead / mebibyte) * mebibyte
}
