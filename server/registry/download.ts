import type { Resolved } from '../access/access.ts'
import { type PackageGrant, packageGrant } from '../access/grant.ts'
import type { ByteSpan, Location, PresignedRequest } from '../blobs/blob-store.ts'
import { type AddressedFile, type AddressKeys, fileOfVersion } from '../catalogue/files.ts'
import { ownerKey, possibleFile, possiblePackage, possibleVersion } from '../names.ts'
import { Problem } from '../problems.ts'
import type { RegistryParts } from './parts.ts'

/** An address as it came: nothing has been checked. */
export interface Address {
  owner: string
  package: string
  version: string
  file: string
}

/** A file that this caller may read. */
export interface ReadableFile {
  grant: PackageGrant<'read'>
  file: AddressedFile
  /** All of it, where it is small and was read. */
  bytes?: Blob
}

/** The address in the form in which it is looked up. */
export function addressKeys(address: Address): AddressKeys {
  return {
    owner: ownerKey(address.owner) ?? '',
    package: possiblePackage(address.package) ?? '',
    version: possibleVersion(address.version) ?? '',
    file: possibleFile(address.file) ?? '',
  }
}

/** The file that was found, where the caller may read it. */
export function readableFile(resolved: Resolved): ReadableFile {
  const leave = packageGrant('read', resolved)
  const { found } = resolved
  if (!found?.versionExists) throw new Problem('not-found', 'package does not exist')
  if (!found.file) throw new Problem('not-found', 'package file does not exist')
  return { grant: leave, file: found.file }
}

/** The file of that id in a version; an id of another one's is no file there. */
export async function readableFileById(
  parts: RegistryParts,
  leave: PackageGrant<'read'>,
  address: Pick<Address, 'version'> & { id: number },
): Promise<ReadableFile> {
  const wanted = {
    ownerId: leave.owner.id,
    packageKey: leave.packageKey,
    versionKey: possibleVersion(address.version) ?? '',
    fileId: address.id,
  }
  const file = await fileOfVersion(parts.catalogue.read, wanted)
  if (!file) throw new Problem('not-found', 'package file does not exist')
  return { grant: leave, file }
}

/** An address at which the store itself serves the file for a while, to anybody; undefined where it cannot. */
export function linkTo(
  { blobs }: RegistryParts,
  { file }: ReadableFile,
  request: PresignedRequest,
): Promise<string> | undefined {
  return blobs.presigned?.(file.location as Location, request)
}

/** Bytes that may always be in memory until their client has read them; */
const alwaysHeld = 64 * 1024
/** so many only where few requests are open: clients that do not read are many where they mean harm. */
const heldForFew = 1024 * 1024
const few = 32

function mayBeHeld({ openRequests }: RegistryParts, size: number): boolean {
  return size <= alwaysHeld || (size <= heldForFew && openRequests() <= few)
}

/**
 * The file's bytes, or a stretch of them, for a response to send. `storage-unavailable` when the store does not have what
 * the catalogue says: no answer is better than a wrong one.
 */
export function bytesOf(parts: RegistryParts, found: ReadableFile, span?: ByteSpan): Blob | ReadableStream<Uint8Array> {
  const { file } = found
  const location = file.location as Location
  const small = span || !mayBeHeld(parts, file.size) ? undefined : parts.blobs.bytesAtOnce?.(location, file.size)
  if (small) {
    parts.observer.sending(file.size)
    found.bytes = small
    return small
  }
  const whole = parts.blobs.body(location)
  const size = span ? span.end - span.start : file.size
  if (!(whole instanceof Blob)) {
    parts.observer.sending(size)
    // With its size told, a store that has fewer bytes says so.
    return parts.blobs.body(location, span ?? { start: 0, end: file.size })
  }
  if (whole.size !== file.size) {
    parts.observer.bytesMissing()
    const cause = `${location} has ${whole.size} bytes where ${file.size} should be`
    throw new Problem('storage-unavailable', 'The bytes of this file cannot be read now.', {}, cause)
  }
  parts.observer.sending(size)
  return span ? whole.slice(span.start, span.end) : whole
}

/**
 * Bytes that a store sends, once the first of them are there: until then the answer can still say that it does not. What may be held
 * is gathered, so that of all of it.
 */
export async function begun(
  parts: RegistryParts,
  stream: ReadableStream<Uint8Array>,
  size: number,
): Promise<Blob | ReadableStream<Uint8Array>> {
  if (mayBeHeld(parts, size)) return new Response(stream).blob()
  const reader = stream.getReader()
  let first: Awaited<ReturnType<typeof reader.read>> | undefined = await reader.read()
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = first ?? (await reader.read())
        first = undefined
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
