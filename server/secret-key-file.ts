import { randomBytes } from 'node:crypto'
import { chmod, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Settings, SettingsError } from './config.ts'
import { minSecretLength } from './lib/sealed.ts'
import { writeDurablyOnce } from './lib/write-durably.ts'

type Place = Pick<Settings, 'secretKey' | 'dataDir'>

/** The secret of this installation: the setting or, where there is none, a file that the first start makes. */
export async function secretKey(place: Place): Promise<string> {
  return (await knownSecretKey(place)) ?? readOrMake(place, make)
}

/** The same, but undefined where there is neither. */
export async function knownSecretKey(place: Place): Promise<string | undefined> {
  if (place.secretKey !== undefined) return fromSetting(place.secretKey)
  return readOrMake(place, async () => undefined)
}

export function secretKeyFile({ dataDir }: Pick<Settings, 'dataDir'>): string {
  return join(dataDir, 'secret-key')
}

/** What the file holds, or `make` where there is none. */
async function readOrMake<Made extends string | undefined>(
  place: Place,
  make: (file: string) => Promise<Made>,
): Promise<string | Made> {
  const file = secretKeyFile(place)
  try {
    const text: string | Made = (await textOf(file)) ?? (await make(file))
    if (text === undefined) return text
    await keepPrivate(file)
    return fromFile(file, text)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    throw new SettingsError([
      `${file} cannot be used: ${error.message}. It holds the secret key where STOWAGE_SECRET_KEY is not set.`,
    ])
  }
}

// Without white space at its ends, in both places: a key that moves from one to the other stays the same.
function fromSetting(secret: string): string {
  const text = secret.trim()
  if (text.length >= minSecretLength) return text
  throw new SettingsError([
    `STOWAGE_SECRET_KEY is [secret], but must have at least ${minSecretLength} characters that are not white space at its ends.`,
  ])
}

function fromFile(file: string, text: string): string {
  if (text.length >= minSecretLength) return text
  // A new key would open nothing that the old one has sealed, so nobody but the operator may decide for one.
  throw new SettingsError([
    `${file} is ${text === '' ? 'empty' : 'too short'}: it must hold at least ${minSecretLength} characters. ` +
      'Put the file back from a backup. Without one, delete it and run npm run stowage -- forget-secrets, ' +
      'which says what is lost with it.',
  ])
}

async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').then(
    (text) => text.trim(),
    (error) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    },
  )
}

/** Read back, because of two who start at once the other one may have been first. */
async function make(file: string): Promise<string> {
  await writeDurablyOnce(file, `${randomBytes(32).toString('base64url')}\n`, 0o600)
  return (await textOf(file)) ?? ''
}

/** A copy from a backup may have become readable for others. */
async function keepPrivate(file: string): Promise<void> {
  const { mode } = await stat(file)
  // A file that was mounted may belong to somebody else, or be read-only: whoever mounted it decides.
  if (mode & 0o077) await chmod(file, 0o600).catch(() => {})
}
