import { longestName, possibleFile, possiblePackage, possibleVersion } from '../../../names.ts'

/** What is wrong with a name, for the person who typed it, and how a file could be called instead. The server decides. */

const inPackage = /[A-Za-z0-9_\-+.]/
const inFile = /[A-Za-z0-9_\-+=:;.()[\]{}~!@#$%^& ]/
const inVersion = /[^/\\\uFFFD\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cn}]/u

/** Undefined: nothing is. */
export function packageFault(text: string): string | undefined {
  if (possiblePackage(text) !== undefined) return undefined
  if (text === '') return 'Type the name of a package.'
  return (
    tooLong(text, 'The name of a package') ??
    strange(text, inPackage, 'the name of a package', 'Letters, digits, “_”, “-”, “+” and “.” are.') ??
    'A name of one character must be a letter or a digit, and “..” is none.'
  )
}

export function versionFault(text: string): string | undefined {
  if (possibleVersion(text) !== undefined) return undefined
  if (text === '') return 'Type a version.'
  return (
    tooLong(text, 'A version') ??
    strange(text, inVersion, 'a version', '') ??
    (/^\.\.?$/.test(text) ? '“.” and “..” are no versions.' : 'A version has no space at its beginning or end.')
  )
}

export function fileFault(text: string): string | undefined {
  if (possibleFile(text) !== undefined) return undefined
  if (text === '') return 'Type the name of the file.'
  const others = 'Letters from a to z, digits, spaces and _-+=:;.()[]{}~!@#$%^& are.'
  return (
    tooLong(text, 'The name of a file') ??
    strange(text, inFile, 'the name of a file', others) ??
    (/^\.\.?$/.test(text)
      ? '“.” and “..” are no names of files.'
      : 'The name of a file has no space at its beginning or end.')
  )
}

function tooLong(text: string, what: string): string | undefined {
  const count = [...text].length
  return count > longestName ? `${what} has ${longestName} characters at most; this one has ${count}.` : undefined
}

/** Characters that are named in one sentence. */
const mostNamed = 8

function strange(text: string, allowed: RegExp, where: string, others: string): string | undefined {
  const found = [...new Set(text)].filter((character) => !allowed.test(character))
  if (found.length === 0) return undefined
  const named = found.slice(0, mostNamed).map(shown)
  const more = found.length > mostNamed ? [`${found.length - mostNamed} more`] : []
  const last = [...named, ...more]
  const list = last.length === 1 ? last[0] : `${last.slice(0, -1).join(', ')} and ${last.at(-1)}`
  return `${list} ${last.length === 1 ? 'is' : 'are'} not allowed in ${where}. ${others}`.trim()
}

/** In quotes, or by its number where nobody would see it. */
function shown(character: string): string {
  const number = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return /[\p{C}\p{Z}\p{M}]/u.test(character) ? `U+${number}` : `“${character}”`
}

/** A name that is allowed and still tells the file: accents go, what is left over becomes `_`. */
export function cleanedFileName(text: string): string {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').replaceAll('ß', 'ss')
  const allowed = [...plain].map((character) => (inFile.test(character) ? character : '_')).join('')
  const short = shortened(allowed.replaceAll(/_{2,}/g, '_').trim())
  return possibleFile(short) === undefined ? 'file' : short
}

/** The same name with a number before its ending. */
export function numbered(name: string, number: number): string {
  const { stem, ending } = parted(name)
  const suffix = `-${number}${ending}`
  return stem.slice(0, longestName - suffix.length).trimEnd() + suffix
}

function shortened(name: string): string {
  if (name.length <= longestName) return name
  const { stem, ending } = parted(name)
  return stem.slice(0, longestName - ending.length).trim() + ending
}

/** `tool.tar.gz` → `tool`, `.tar.gz`; an ending of more than some characters is none. */
function parted(name: string): { stem: string; ending: string } {
  const [ending = ''] = /(?:\.[A-Za-z0-9]{1,8}){1,2}$/.exec(name.slice(1)) ?? []
  return { stem: name.slice(0, name.length - ending.length), ending }
}
