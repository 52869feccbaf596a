import { isSiteAdmin } from '../access/caller.ts'
import type { Grant } from '../access/grant.ts'
import { leaseLives } from '../catalogue/leases.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import { type QuotaAddress, quotasAt, standingOfOwner, usageOfSite } from '../catalogue/quotas.ts'
import { deleteReservations, reservedUnder, setReservation } from '../catalogue/reservations.ts'
import { transaction } from '../catalogue/transaction.ts'
import { Problem } from '../problems.ts'
import { outOfTouch } from './leases.ts'
import type { RegistryParts } from './parts.ts'
import { type Exceeded, exceeded, isBounded, limitsFor, type QuotaLimits, reservedFor, roomIn } from './quota-rules.ts'

interface Reserve extends QuotaAddress {
  leaseId: string
  /** Bytes of the file, as far as it has come or as was declared. */
  needed: number
  /** Whether it has no more: then nothing is reserved ahead. */
  isWhole: boolean
  now: number
}

/**
 * Takes what an upload needs of its quotas, or refuses it; how many bytes it may have before it must ask again. Uploads of one
 * owner come here one after the other, and where the site has a quota all of them do: each sees what the others have taken.
 */
export const reserve = transaction('reserve', async (tx, args: Reserve): Promise<number> => {
  await lockByName(tx, [alone(`quota ${args.ownerId}`)])
  const standing = await standingOfOwner(tx, args)
  if (!standing) throw ownerGone()
  const limits = limitsFor(standing.quotas, standing.own, false)
  const owner = standing.usage
  let room = roomIn(limits.owner, owner)
  let site: typeof owner | undefined
  if (isBounded(limits.site)) {
    await lockByName(tx, [alone('quota site')])
    site = await usageOfSite(tx, args.uploadId)
    room = Math.min(room, roomIn(limits.site, site))
  }
  const limit = exceeded(limits, { owner, site }, { addsVersion: standing.addsVersion, bytes: args.needed })
  if (limit) throw quotaExceeded(limit)
  // Reservations of a dead lease have been given back: this one would stay for ever.
  if (!(await leaseLives(tx, args.leaseId))) throw outOfTouch()
  const bytes = reservedFor(args, room)
  await setReservation(tx, { ...args, bytes })
  return bytes
})

export const giveBack = transaction('give back', async (tx, args: { uploadIds: string[] }) =>
  deleteReservations(tx, args.uploadIds),
)

/** An upload as quotas see it. */
export interface QuotaUpload {
  uploadId: string
  packageKey: string
  versionKey: string
  declaredSize: number | undefined
}

/** What is known of the quotas before the body is read. */
export interface QuotaOutlook {
  /** Bytes; Infinity where there is none. */
  maxFileSize: number
  /** Whether something must be reserved. */
  isBounded: boolean
  /** Whether only an administrator may publish it without. */
  isExempt: boolean
}

/** What the quotas say of an upload before anything is reserved: one statement, and all that an upload costs where none is set. */
export async function quotaOutlook(
  { catalogue }: RegistryParts,
  { owner, caller }: Grant<'write'>,
  { declaredSize = 0 }: Pick<QuotaUpload, 'declaredSize'>,
): Promise<QuotaOutlook> {
  const set = await quotasAt(catalogue.read, owner.id)
  if (!set) throw ownerGone()
  const isAdmin = isSiteAdmin(caller)
  const limits = limitsFor(set.quotas, set.own, isAdmin)
  if (declaredSize > limits.fileSize) throw fileTooLarge()
  return {
    maxFileSize: limits.fileSize,
    isBounded: bindsTogether(limits),
    isExempt: isAdmin && bindsTogether(limitsFor(set.quotas, set.own, false)),
  }
}

/** Refuses an upload that would pass an owner's quota now, without reserving anything: for one that is refused in any case. */
export async function mustFit(parts: RegistryParts, { owner }: Grant<'write'>, upload: QuotaUpload): Promise<void> {
  const { declaredSize = 0, ...address } = upload
  const standing = await standingOfOwner(parts.catalogue.read, { ...address, ownerId: owner.id })
  if (!standing) throw ownerGone()
  const limits = limitsFor(standing.quotas, standing.own, false)
  const wanted = { addsVersion: standing.addsVersion, bytes: declaredSize }
  const limit = exceeded(limits, { owner: standing.usage }, wanted)
  if (limit) throw quotaExceeded(limit)
}

/** Whether there is a limit that several uploads could pass together. */
function bindsTogether({ owner, site }: QuotaLimits): boolean {
  return isBounded(owner) || isBounded(site)
}

/** What one upload has taken of its quotas, until it ends. */
export class UploadReservation implements AsyncDisposable {
  readonly #parts: RegistryParts
  readonly #upload: (QuotaUpload & { ownerId: number; leaseId: string }) | undefined
  /** Bytes; undefined before anything was asked for. */
  #held: number | undefined
  #isSettled = false

  /** `upload` undefined: where nothing has to be reserved. */
  constructor(parts: RegistryParts, upload: (QuotaUpload & { ownerId: number; leaseId: string }) | undefined) {
    this.#parts = parts
    this.#upload = upload
  }

  /** To be called before the file has so many bytes; refuses it where they are too many. */
  async cover(bytes: number): Promise<void> {
    if (!this.#upload || (this.#held !== undefined && bytes <= this.#held)) return
    const { declaredSize, ...upload } = this.#upload
    // Before anything can be there, and until it has been given back: what else is there under this lease is left over.
    this.#parts.reserving.add(upload.uploadId)
    this.#held ??= 0
    const needed = Math.max(bytes, declaredSize ?? 0)
    const isWhole = declaredSize !== undefined
    const args = { ...upload, needed, isWhole, now: this.#parts.now() }
    this.#held = await this.#parts.catalogue.transact(reserve, args)
  }

  /** The transaction that made the upload true has struck it off. */
  settle(): void {
    this.#isSettled = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#upload || this.#held === undefined) return
    const { uploadId } = this.#upload
    // Where the database does not take it, the next tidying does.
    if (!this.#isSettled)
      await this.#parts.catalogue.transact(giveBack, { uploadIds: [uploadId] }).catch(() => undefined)
    this.#parts.reserving.delete(uploadId)
  }
}

/**
 * Gives back what uploads of this process have reserved that have ended: where the database was away at their end, or was still
 * busy with what they asked for. What a dead process left is given back too.
 */
export async function giveBackLeft(parts: RegistryParts): Promise<void> {
  const reserved = await reservedUnder(parts.catalogue.read, parts.lease.id)
  // Looked at afterwards: whoever is under way is in here before he is in there.
  const left = reserved.filter((uploadId) => !parts.reserving.has(uploadId))
  if (left.length > 0) await parts.catalogue.transact(giveBack, { uploadIds: left.slice(0, mostAtOnce) })
}

/** Values that both databases take in one statement. */
const mostAtOnce = 1_000

const sentences: Record<Exceeded, string> = {
  versions: 'maximum allowed package count exceeded',
  'file size': 'maximum allowed package type size exceeded',
  bytes: 'maximum allowed package storage quota exceeded',
}

function quotaExceeded(limit: Exceeded): Problem {
  return limit === 'file size' ? fileTooLarge() : new Problem('quota-exceeded', sentences[limit])
}

function ownerGone(): Problem {
  return new Problem('not-found', 'Not found.')
}

export function fileTooLarge(): Problem {
  return new Problem('too-large', sentences['file size'])
}
