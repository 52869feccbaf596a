import type { Caller } from '../access/caller.ts'
import { type Grant, grant } from '../access/grant.ts'
import type { ByteSpan, Location } from '../blobs/blob-store.ts'
import { type FileRow, findAddress } from '../catalogue/files.ts'
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
  grant: Grant<'read'>
  file: FileRow
}

/** Finds a file and asks whether the caller may read it, in one look-up. */
export async function findFile(parts: RegistryParts, caller: Caller, address: Address): Promise<ReadableFile> {
  const key = ownerKey(address.owner)
  const keys = {
    package: possiblePackage(address.package),
    version: possibleVersion(address.version),
    file: possibleFile(address.file),
  }
  const found = key === undefined ? undefined : await findAddress(parts.catalogue.read, key, keys)
  const leave = grant('read', caller, found?.owner)
  if (!found?.versionExists) throw new Problem('not-found', 'package does not exist')
  if (!found.file) throw new Problem('not-found', 'package file does not exist')
  return { grant: leave, file: found.file }
}

/** The file's bytes, or a stretch of them, for a response to send. */
export function bytesOf(
  parts: RegistryParts,
  { file }: ReadableFile,
  span?: ByteSpan,
): Blob | ReadableStream<Uint8Array> {
  return parts.blobs.body(file.location as Location, span)
}
