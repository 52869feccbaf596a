import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { decodeAttestationObject } from '@simplewebauthn/server/helpers'
import { z } from 'zod'
import { challengeLasts } from './passkey-challenges.ts'
import type { RelyingParty } from './relying-party.ts'

/*
 * The ceremonies of Web Authentication, by a library that most servers do without until somebody has a passkey: this file is
 * imported when it is needed.
 */

export type PasskeyOptions = PublicKeyCredentialCreationOptionsJSON | PublicKeyCredentialRequestOptionsJSON

/** What may be known of a passkey before it is shown. */
export interface KnownCredential {
  id: string
  transports: readonly string[]
}

/** Ed25519, ECDSA with P-256, RSA: what authenticators have (COSE's numbers). */
const algorithms = [-8, -7, -257]

/** Characters of what a browser answers; a key of RSA and what comes with it are below 4,000. */
export const longestCredential = 16 * 1024

const base64url = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[\w-]+$/)
/** 1,023 bytes (Web Authentication §4, "Credential ID"). */
const credentialId = base64url(1_364)

const common = { id: credentialId, rawId: credentialId, type: z.literal('public-key') }

const registration = z.object({
  ...common,
  response: z.object({
    clientDataJSON: base64url(longestCredential),
    attestationObject: base64url(longestCredential),
    transports: z
      .array(
        z
          .string()
          .max(32)
          .regex(/^[a-z-]+$/),
      )
      .max(10)
      .catch([])
      .default([]),
  }),
})

const assertion = z.object({
  ...common,
  response: z.object({
    clientDataJSON: base64url(longestCredential),
    authenticatorData: base64url(longestCredential),
    signature: base64url(longestCredential),
    userHandle: base64url(88).nullish(),
  }),
})

export type Assertion = z.output<typeof assertion>
type Registration = z.output<typeof registration>

/** What a browser answers, undefined for what is no answer. */
export function assertionFrom(text: string): Assertion | undefined {
  return parsed(assertion, text)
}

function parsed<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> | undefined {
  if (text.length > longestCredential) return undefined
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** What a browser is asked for to make a passkey: one that is found without a user name, and that asks who is there. */
export function registrationOptions(wanted: {
  party: RelyingParty
  challenge: string
  user: { handle: string; name: string; fullName: string }
  /** Those that the account has: an authenticator keeps one of each. */
  known: readonly KnownCredential[]
}): Promise<PasskeyOptions> {
  const { party, challenge, user, known } = wanted
  return generateRegistrationOptions({
    rpName: 'Stowage',
    rpID: party.id,
    userID: bytesOf(user.handle),
    userName: user.name,
    userDisplayName: user.fullName || user.name,
    challenge: bytesOf(challenge),
    timeout: challengeLasts,
    attestationType: 'none',
    excludeCredentials: known.map(describe),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: algorithms,
  })
}

/** What a browser is asked for to show a passkey: one of these, or whichever it has where none is named. */
export function assertionOptions(wanted: {
  party: RelyingParty
  challenge: string
  known: readonly KnownCredential[]
}): Promise<PasskeyOptions> {
  return generateAuthenticationOptions({
    rpID: wanted.party.id,
    challenge: bytesOf(wanted.challenge),
    timeout: challengeLasts,
    allowCredentials: wanted.known.map(describe),
    userVerification: 'required',
  })
}

/** What is kept of a new passkey. */
export interface NewCredential {
  credentialId: string
  publicKey: string
  count: number
  transports: string
  isBackedUp: boolean
}

/** The new passkey, undefined where the answer is not the one to this challenge. */
export async function verifiedRegistration(
  text: string,
  { party, challenge }: { party: RelyingParty; challenge: string },
): Promise<NewCredential | undefined> {
  const sent = parsed(registration, text)
  if (!sent) return undefined
  const verified = await unlessWrong(() =>
    verifyRegistrationResponse({
      response: { ...withoutAttestation(sent), clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: party.origin,
      expectedRPID: party.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    }),
  )
  if (!verified?.verified) return undefined
  const { credential, credentialBackedUp } = verified.registrationInfo
  if (credential.id !== sent.id) return undefined
  return {
    credentialId: credential.id,
    publicKey: textOf(credential.publicKey),
    count: credential.counter,
    transports: sent.response.transports.join(','),
    isBackedUp: credentialBackedUp,
  }
}

/**
 * The same without what the maker of the authenticator says of it: nobody here is kept out by that, and what is not read needs no
 * certificates, nor to ask addresses that stand in them.
 */
function withoutAttestation(sent: Registration) {
  const authData = decodeAttestationObject(bytesOf(sent.response.attestationObject)).get('authData')
  const head = Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746159', 'hex')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(authData.byteLength)
  const attestationObject = Buffer.concat([head, length, authData]).toString('base64url')
  const transports = sent.response.transports as AuthenticatorTransport[]
  return { ...sent, response: { ...sent.response, transports, attestationObject } }
}

/** A passkey as it is known, to be held against what is shown. */
export interface ShownAgainst {
  credentialId: string
  publicKey: string
}

/**
 * What the authenticator says, signed; undefined where the answer is not the one to this challenge by this passkey. The counter is
 * not judged yet.
 */
export async function verifiedAssertion(
  sent: Assertion,
  { party, challenge, passkey }: { party: RelyingParty; challenge: string; passkey: ShownAgainst },
): Promise<{ count: number; isBackedUp: boolean } | undefined> {
  const response = { ...sent.response, userHandle: sent.response.userHandle ?? undefined }
  const verified = await unlessWrong(() =>
    verifyAuthenticationResponse({
      response: { ...sent, response, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: party.origin,
      expectedRPID: party.id,
      requireUserVerification: true,
      credential: { id: passkey.credentialId, publicKey: bytesOf(passkey.publicKey), counter: 0 },
    }),
  )
  if (!verified?.verified) return undefined
  const { newCounter, credentialBackedUp } = verified.authenticationInfo
  return { count: newCounter, isBackedUp: credentialBackedUp }
}

/** The library throws for whatever is wrong with what was sent, and says no more of it than a sentence. */
async function unlessWrong<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch {
    return undefined
  }
}

function describe({ id, transports }: KnownCredential) {
  return { id, transports: transports as AuthenticatorTransport[] }
}

type AuthenticatorTransport = 'ble' | 'cable' | 'hybrid' | 'internal' | 'nfc' | 'smart-card' | 'usb'

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'base64url'))
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
