import { randomUUID } from 'node:crypto'
import { audit } from '../access/audit.ts'
import { actorOf, isSiteAdmin } from '../access/caller.ts'
import { claimOf, type Grant, type PackageClaim, type PackageGrant, recheck } from '../access/grant.ts'
import { permission } from '../access/rules.ts'
import type { Location, StagedBlob } from '../blobs/blob-store.ts'
import { addDigests, blobByDigest, digestsOf, ensureBlob, missingDigests } from '../catalogue/blobs.ts'
import { type FileRow, fileInVersion, insertFile, uploadExists } from '../catalogue/files.ts'
import { askForJob } from '../catalogue/jobs.ts'
import { enterUnderLease } from '../catalogue/leases.ts'
import { alone, lockByName } from '../catalogue/named-locks.ts'
import { noTexts, setTexts } from '../catalogue/package-texts.ts'
import { ensurePackage } from '../catalogue/packages.ts'
import { insertFileOrigin } from '../catalogue/publishers.ts'
import { deleteReservations } from '../catalogue/reservations.ts'
import { StartAgain, transaction } from '../catalogue/transaction.ts'
import { ensureVersion } from '../catalogue/versions.ts'
import { deliveriesJob, listenersAt } from '../catalogue/webhooks.ts'
import { atMost } from '../lib/at-most.ts'
import { type DigestAlgorithm, type Digests, digestAlgorithms, RunningDigests } from '../lib/digests.ts'
import type { FileName, PackageName, VersionName } from '../names.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import { type ChangeAction, tell } from './changes.ts'
import { declaredMismatch } from './declared-mismatch.ts'
import { digestsBeside } from './digests-beside.ts'
import { outOfTouch } from './leases.ts'
import { outcomeOf, type UploadWatch } from './observer.ts'
import type { RegistryParts } from './parts.ts'
import { fileTooLarge, mustFit, quotaOutlook, UploadReservation } from './reservations.ts'

/** A file on its way in. */
export interface Upload {
  package: PackageName
  version: VersionName
  file: FileName
  /** The file's bytes, pulled one chunk at a time. Whatever it throws ends the upload. */
  body: AsyncIterable<Uint8Array>
  /** Bytes, where the client said so. */
  declaredSize: number | undefined
  /** Digests that the client expects the file to have. */
  declaredDigests: Partial<Digests>
  /** What is said of the package where this makes it. */
  description?: string | undefined
  /** The file that has the name already, where the caller has looked: then no byte of the body is read. */
  taken?: FileRow | undefined
}

/** Kind of the job that computes what the upload did not need: the blob's other digests. */
export const digestsJob = 'digests'

/** What has come of an upload. */
export interface Published {
  /** Bytes. */
  size: number
  sha256: string
}

/** Bytes of a file up to which all its digests are computed as it comes in: a job for them costs more. */
export const mostDigestedAtOnce = 256 * 1024

interface AddFile {
  claim: PackageClaim
  /** See `deduplicationScope`. */
  scope: string
  leaseId: string
  location: string
  /** Where this digest's blob should be and is not. */
  lostLocation: string | null
  package: PackageName
  version: VersionName
  file: FileName
  size: number
  digests: Partial<Digests> & { sha256: string }
  description?: string | undefined
  uploadId: string
  /** Whether it has taken something of a quota. */
  isReserved: boolean
  /** Whether it has not, because quotas do not bind administrators. */
  isExempt: boolean
  now: number
}

/** The short transaction that makes an upload true. Rights are checked again: the upload may have taken hours. */
export const addFile = transaction('add file', async (tx, args: AddFile) => {
  const { claim, now } = args
  const { userId, ownerId } = claim
  const entered = await enterUnderLease(tx, { leaseId: args.leaseId, location: args.location, userId, ownerId })
  if (!entered) throw outOfTouch()
  const { caller, owner, visibility } = await recheck(tx, claim, now)
  if (args.isExempt && !isSiteAdmin(caller)) throw noLongerExempt()

  const its = await ensurePackage(tx, {
    ownerId: claim.ownerId,
    name: args.package.text,
    nameKey: args.package.key,
    now,
  })
  // It was removed since that look, and with it who might see it, or that he was let in there alone.
  if (its.isNew && (visibility === 'private' || permission(caller, owner) !== 'write')) {
    throw new StartAgain('the package was removed right after its rights were looked at')
  }
  if (its.isNew && claim.wasPrivate) {
    throw new Problem(
      'not-found',
      'The package was private, and was deleted while this came: it would be open now. Publish it again if that is meant.',
    )
  }
  if (its.isNew && args.description) {
    await setTexts(tx, its.id, { ...noTexts, description: args.description }, now)
  }
  const version = await ensureVersion(tx, {
    packageId: its.id,
    version: args.version.text,
    versionKey: args.version.key,
    ...(caller.kind === 'user'
      ? { creatorId: claim.userId, creatorOwnerId: null }
      : { creatorId: null, creatorOwnerId: claim.userId }),
    now,
  })
  const { blob, usesNewBytes } = await ensureBlob(tx, {
    scope: args.scope,
    size: args.size,
    location: args.location,
    lostLocation: args.lostLocation,
    digests: args.digests,
    now,
  })
  const added = await insertFile(tx, {
    versionId: version.id,
    name: args.file.text,
    nameKey: args.file.key,
    blobId: blob.id,
    ...(caller.kind === 'user'
      ? { uploaderId: claim.userId, uploaderOwnerId: null }
      : { uploaderId: null, uploaderOwnerId: claim.userId }),
    uploadId: args.uploadId,
    now,
  })
  if (added === undefined) throw nameTaken(await fileInVersion(tx, version.id, args.file.key))
  const origin = caller.kind === 'deploy-token' ? caller.credential.origin : undefined
  if (origin)
    await insertFileOrigin(tx, { file_id: added, issuer: origin.issuer, claims: JSON.stringify(origin.claims) })

  // With the commit its bytes are counted, and reserved no more.
  if (args.isReserved) await deleteReservations(tx, [args.uploadId])

  const unknown = missingDigests(blob).filter((algorithm) => args.digests[algorithm] === undefined)
  if (missingDigests(blob).length > unknown.length) await addDigests(tx, blob.id, args.digests)
  if (unknown.length > 0) await askForJob(tx, digestsJob, String(blob.id), now)

  const file = {
    id: added,
    blobId: blob.id,
    name: args.file.text,
    size: args.size,
    digests: { ...digestsOf(blob), ...args.digests },
  }
  const change = { owner, package: its.name, version, sender: actorOf(caller), files: [file] }
  const actions: ChangeAction[] = version.isNew ? ['created', 'file_added'] : ['file_added']
  const isTold = await tell(
    tx,
    await listenersAt(tx, owner.id),
    actions.map((action) => ({ action, ...change })),
    now,
  )
  await audit(tx, caller, now, {
    action: 'file.published',
    owner,
    package: { name: its.name, key: args.package.key },
    version: version.version,
    file: args.file.text,
    details: { size: args.size, sha256: args.digests.sha256 },
  })
  return { usesNewBytes, wantsDigests: unknown.length > 0, isTold }
})

/**
 * Whether an upload whose answer was lost was committed. The database may still be busy with it: it holds its bytes' name
 * alone, and so is waited for.
 */
export const findUpload = transaction('find upload', async (tx, args: { location: string; uploadId: string }) => {
  await lockByName(tx, [alone(`upload ${args.location}`)])
  return uploadExists(tx, args.uploadId)
})

/**
 * Publishes one file. Every way to add a file ends here.
 *
 * Resolves when the bytes and their record are on stable storage and the next request can read them; whatever is thrown
 * before that leaves nothing behind.
 */
export async function publish(parts: RegistryParts, grant: PackageGrant<'write'>, upload: Upload): Promise<Published> {
  const watch = parts.observer.upload()
  try {
    const published = await publishWatched(parts, grant, upload, watch)
    watch.ended('published')
    return published
  } catch (error) {
    watch.ended(outcomeOf(error))
    throw error
  }
}

async function publishWatched(
  parts: RegistryParts,
  grant: PackageGrant<'write'>,
  upload: Upload,
  watch: UploadWatch,
): Promise<Published> {
  if (upload.package.key !== grant.packageKey) throw new Error('this leave is for another package')
  if (upload.declaredSize !== undefined && upload.declaredSize > parts.limits.maxFileSize) throw fileTooLarge()
  const uploadId = randomUUID()
  const keys = { uploadId, packageKey: upload.package.key, versionKey: upload.version.key }
  const asked = { ...keys, declaredSize: upload.declaredSize }
  const outlook = await quotaOutlook(parts, grant, asked)
  // The transaction decides again about the name.
  if (upload.taken) {
    if (outlook.isBounded) await mustFit(parts, grant, asked)
    throw nameTaken(upload.taken)
  }

  const leaseId = await parts.lease.fresh()
  const bound = outlook.isBounded ? { ...asked, ownerId: grant.owner.id, leaseId } : undefined
  await using reservation = new UploadReservation(parts, bound)
  // Not even a promise for each chunk where there is no quota.
  const cover = bound && ((bytes: number) => reservation.cover(bytes).catch(renewingLease(parts)))
  await cover?.(0)
  await using staged = await parts.blobs.stage(leaseId, upload.declaredSize)
  const needed: DigestAlgorithm[] = ['sha256', ...(Object.keys(upload.declaredDigests) as DigestAlgorithm[])]
  const isLarge = (bytes: number) => bytes > mostDigestedAtOnce
  using beside = isLarge(upload.declaredSize ?? Number.POSITIVE_INFINITY) ? digestsBeside(parts, needed) : undefined
  const running = new RunningDigests(beside || isLarge(upload.declaredSize ?? 0) ? needed : digestAlgorithms)
  const maxFileSize = Math.min(parts.limits.maxFileSize, outlook.maxFileSize)
  let size = 0
  for await (const chunk of atMost(maxFileSize, upload.body, fileTooLarge)) {
    if (cover) await cover(size + chunk.byteLength)
    watch.received(chunk.byteLength)
    size += chunk.byteLength
    if (isLarge(size)) running.narrow(needed)
    running.update(chunk)
    if (beside) await Promise.all([staged.write(chunk), beside.update(chunk)])
    else await staged.write(chunk)
  }
  if (upload.declaredSize !== undefined && upload.declaredSize !== size) throw bodyIncomplete()
  const digests = running.finish() as Partial<Digests> & { sha256: string }
  const mismatch = declaredMismatch(upload.declaredDigests, digests)
  if (mismatch) throw mismatch
  const [others] = await Promise.all([beside?.finish(), staged.commit()])
  Object.assign(digests, others)

  const scope = deduplicationScope(parts, grant.owner.id)
  const record = {
    claim: claimOf(grant),
    scope,
    leaseId,
    location: staged.location,
    lostLocation: await lostLocation(parts, scope, digests.sha256, size),
    package: upload.package,
    version: upload.version,
    file: upload.file,
    size,
    digests,
    description: upload.description,
    uploadId,
    isReserved: outlook.isBounded,
    isExempt: outlook.isExempt,
    now: parts.now(),
  }
  const added = await keepingUnknown(parts, staged, () => parts.catalogue.transact(addFile, record)).catch(
    async (error) => {
      if (hasCode(error, 'out-of-touch')) return renewingLease(parts)(error)
      // The commit may have happened: never repeat it, look. Where nobody can look either, it stays unknown.
      const lookUp = () => parts.catalogue.transact(findUpload, { location: staged.location, uploadId })
      if (hasCode(error, 'outcome-unknown') && (await lookUp().catch(() => false))) return undefined
      throw error
    },
  )
  reservation.settle()
  const published = { size, sha256: digests.sha256 }
  if (!added) return published
  if (added.usesNewBytes) staged.keep()
  if (added.wantsDigests) parts.wake(digestsJob)
  if (added.isTold) parts.wake(deliveriesJob)
  return published
}

/**
 * Refuses, without a byte of the body, what `publish` would refuse as things stand: for who asks before sending. The file may still
 * not fit when it comes.
 */
export async function mustBePublishable(
  parts: RegistryParts,
  grant: PackageGrant<'write'>,
  asked: Omit<Upload, 'body' | 'declaredDigests' | 'description'>,
): Promise<void> {
  const { declaredSize, taken } = asked
  if (taken) throw nameTaken(taken)
  if (declaredSize !== undefined && declaredSize > parts.limits.maxFileSize) throw fileTooLarge()
  const outlook = await quotaOutlook(parts, grant, { declaredSize })
  const keys = { uploadId: randomUUID(), packageKey: asked.package.key, versionKey: asked.version.key }
  if (outlook.isBounded) await mustFit(parts, grant, { ...keys, declaredSize })
}

/** The largest file that this caller may publish at this owner; bytes, Infinity where there is no limit. */
export async function largestFile(parts: RegistryParts, grant: Grant<'write'>): Promise<number> {
  const { maxFileSize } = await quotaOutlook(parts, grant, { declaredSize: undefined })
  return Math.min(parts.limits.maxFileSize, maxFileSize)
}

/**
 * Who shares equal bytes: the whole site. Where the store itself sends them, only files of one owner: it tells since when it has them,
 * and that would say that somebody else had them before.
 */
function deduplicationScope({ linkLifetime }: RegistryParts, ownerId: number): string {
  return linkLifetime === undefined ? '' : String(ownerId)
}

/**
 * Where a blob with these bytes claims to be and is not. A 201 must never speak of bytes that nobody has, so the blob
 * takes the new ones: publishing again repairs. Asked before the transaction, which must not wait for this disk.
 */
async function lostLocation(parts: RegistryParts, scope: string, sha256: string, size: number): Promise<string | null> {
  const blob = await blobByDigest(parts.catalogue.read, scope, sha256)
  if (!blob || (await parts.blobs.size(blob.location as Location)) === size) return null
  // An unmounted disk has nothing at all: that is no reason to give up what will be there again.
  await parts.checkStorage()
  return blob.location
}

/** Where the answer to a commit is lost, the bytes stay until a later transaction has shown whether a row names them. */
async function keepingUnknown<Result>(
  parts: RegistryParts,
  staged: StagedBlob,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (hasCode(error, 'outcome-unknown')) {
      staged.keep()
      parts.unsettled.add(staged.location)
    }
    throw error
  }
}

/** Every upload would be refused until the clock has the lease renewed: that is done now. */
function renewingLease(parts: RegistryParts): (error: unknown) => Promise<never> {
  return async (error) => {
    if (hasCode(error, 'out-of-touch')) await parts.lease.renew().catch(() => undefined)
    throw error
  }
}

function hasCode(error: unknown, code: ProblemCode): boolean {
  return error instanceof Problem && error.code === code
}

export function bodyIncomplete(cause?: unknown): Problem {
  return new Problem('body-incomplete', 'The upload ended early; nothing was stored.', {}, cause)
}

function noLongerExempt(): Problem {
  return new Problem(
    'forbidden',
    'You are no administrator of this site any more, so quotas bind you. Publish it again.',
  )
}

/** Carries what is stored, so that a client can tell "already there" from "taken". */
function nameTaken(file: FileRow | undefined): Problem {
  if (!file) return new Problem('already-exists', 'package file already exists')
  return new Problem('already-exists', 'package file already exists', {
    sha256: file.sha256,
    size: file.size,
    created_at: new Date(file.createdAt).toISOString(),
    uploader: file.uploader ?? 'Ghost',
  })
}
