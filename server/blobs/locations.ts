import { randomBytes } from 'node:crypto'
import { Problem } from '../problems.ts'
import type { Location } from './blob-store.ts'

const lease = '[A-Za-z0-9][A-Za-z0-9_-]{0,63}'
export const folderPattern = /^[0-9a-z]{1,10}$/
export const blobPattern = /^[0-9a-f]{32}$/
const leasePattern = new RegExp(`^${lease}$`)
const locationPattern = new RegExp(`^${lease}/(?:[0-9a-z]{1,10}/)?[0-9a-f]{32}$`)

/** 128 random bits and no time: a location tells nobody when its bytes came. */
export function freshBlobName(): string {
  return randomBytes(16).toString('hex')
}

/** Locations come back from the catalogue as text: what could leave the store's own folder goes no further. */
export function checkedLocation(text: string): Location {
  if (!locationPattern.test(text)) {
    throw new Problem('storage-unavailable', 'the stored bytes cannot be found: the catalogue names no valid location')
  }
  return text as Location
}

export function checkedLease(text: string): string {
  if (!leasePattern.test(text)) {
    throw new Problem('storage-unavailable', 'nothing can be stored: the lease has no valid name')
  }
  return text
}

export function leaseOf(location: Location): string {
  return location.slice(0, location.indexOf('/'))
}
