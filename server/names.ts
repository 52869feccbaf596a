import { Problem } from './problems.ts'

/**
 * The names that the protocol knows: of packages, versions, files and owners. Text from outside becomes one of these
 * at the edge, so whoever holds a name need not check it again.
 *
 * A name keeps its spelling and is compared by its key. Keys are made here and nowhere else: a database that folds
 * letters by rules of its own would disagree with the next database.
 */

declare const kind: unique symbol

/** The folded form of a name. Two names are the same name when their keys are equal, code point for code point. */
export type Key<Kind extends string> = string & { readonly [kind]: Kind }

export interface Name<Kind extends string> {
  /** As it was spelled. */
  readonly text: string
  readonly key: Key<Kind>
}

export type PackageName = Name<'package'>
export type FileName = Name<'file'>
export type VersionName = Name<'version'>
export type OwnerName = Name<'owner'>

export type PackageKey = PackageName['key']
export type FileKey = FileName['key']
export type VersionKey = VersionName['key']
export type OwnerKey = OwnerName['key']

/** Most code points in the name of a package, version or file, counted before anything is folded. */
export const longestName = 255

/** Most characters in the name of an owner. */
export const longestOwnerName = 40

/** @throws Problem `invalid-name` */
export function packageName(text: string): PackageName {
  const key = possiblePackage(text)
  if (key === undefined) throw new Problem('invalid-name', 'invalid package name')
  return { text, key }
}

/** @throws Problem `invalid-name` */
export function fileName(text: string): FileName {
  const key = possibleFile(text)
  if (key === undefined) throw new Problem('invalid-name', 'invalid filename')
  return { text, key }
}

/** @throws Problem `invalid-name` */
export function versionName(text: string): VersionName {
  const key = possibleVersion(text)
  if (key === undefined) throw new Problem('invalid-name', 'invalid package version')
  return { text, key }
}

/** The key to look a package up by, or undefined when no package can have this name: then there is nothing to ask. */
export function possiblePackage(text: string): PackageKey | undefined {
  const allowed = packageShape.test(text) && text.length <= longestName && text !== '..'
  return allowed ? asciiKey(text) : undefined
}

/** The folded form of what may stand within the name of a package, or undefined when it cannot. */
export function packageNamePart(text: string): string | undefined {
  return /^[A-Za-z0-9_\-+.]+$/.test(text) && text.length <= longestName ? asciiKey(text) : undefined
}

/** The key to look a file up by, or undefined when no file can have this name. */
export function possibleFile(text: string): FileKey | undefined {
  const allowed = fileShape.test(text) && text.length <= longestName && text !== '.' && text !== '..'
  return allowed ? asciiKey(text) : undefined
}

/** The key to look a version up by, or undefined when no version can be called this. */
export function possibleVersion(text: string): VersionKey | undefined {
  if (text === '' || text === '.' || text === '..') return undefined
  // A code point is at most two units, so this alone bounds the work on absurd text.
  if (text.length > 2 * longestName || codePoints(text) > longestName) return undefined
  if (!text.isWellFormed() || neverInVersion.test(text) || spaceAtEnd.test(text)) return undefined
  return foldVersion(text)
}

/** A pattern of versions in the form in which it is compared with their keys: wildcards and whatever else stay as they are. */
export function versionPattern(text: string): string {
  return foldVersion(text)
}

/**
 * A name for a new user or organisation; the two share one space.
 *
 * @throws Problem `unprocessable`, with a sentence that can be shown beside the field
 */
export function ownerName(text: string): OwnerName {
  const key = ownerKey(text)
  if (key === undefined) {
    const rule = `1 to ${longestOwnerName} letters and digits, with single "-", "_" or "." between them`
    throw new Problem('unprocessable', `a name must be ${rule}`)
  }
  if (reservedNames.has(key)) throw new Problem('unprocessable', `the name "${key}" is reserved`)
  const ending = reservedEndings.find((reserved) => key.endsWith(reserved))
  if (ending !== undefined) throw new Problem('unprocessable', `names ending in "${ending}" are reserved`)
  return { text, key }
}

/**
 * The key to look an owner up by, or undefined when no owner can have this name.
 *
 * Reserved names are not left out: when the list grows, whoever already has such a name must still be found.
 */
export function ownerKey(text: string): OwnerKey | undefined {
  return text.length <= longestOwnerName && ownerShape.test(text) ? asciiKey(text) : undefined
}

const packageShape = /^(?:[A-Za-z0-9]|[A-Za-z0-9_\-+.]{2,})$/

const fileShape = /^(?! )[A-Za-z0-9_\-+=:;.()[\]{}~!@#$%^& ]+(?<! )$/

const ownerShape = /^[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*$/

/**
 * Slashes make links that other programs split; the rest is invisible, or turns the reading direction, or has no
 * meaning yet. U+FFFD is what a server sees in place of bytes that are not UTF-8, so it can never be told from them.
 */
const neverInVersion = /[/\\\uFFFD\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cn}]/u

const spaceAtEnd = /^\p{White_Space}|\p{White_Space}$/u

const reservedNames: ReadonlySet<string> = new Set([
  '.well-known',
  'api',
  'assets',
  'attachments',
  'avatars',
  'explore',
  'favicon.ico',
  'ghost',
  'gitea-actions',
  'healthz',
  'login',
  'logout',
  'metrics',
  'new',
  'org',
  'orgs',
  'packages',
  'readyz',
  'repo',
  'robots.txt',
  'search',
  'settings',
  'user',
  'users',
  'v2',
])

const reservedEndings = ['.keys', '.gpg', '.rss', '.atom', '.png']

/** Only for text already known to be ASCII: beyond it, `toLowerCase` makes a `k` of the Kelvin sign. */
function asciiKey<Kind extends string>(text: string): Key<Kind> {
  return text.toLowerCase() as Key<Kind>
}

/**
 * NFC (Unicode Standard Annex 15), then the lower case of each code point by itself. Given the whole text at once,
 * `toLowerCase` would choose between σ and ς by the neighbouring letters. U+0130 becomes two code points, and NFC can
 * also lengthen the text: a key may be up to three times as long as its name.
 */
function foldVersion(text: string): VersionKey {
  let key = ''
  for (const codePoint of text.normalize('NFC')) key += codePoint.toLowerCase()
  return key as VersionKey
}

function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** Characters of the shortest password that an account may have. */
export const minPasswordLength = 8
/** Characters of the longest: hashing takes time with length. */
export const maxPasswordLength = 256
