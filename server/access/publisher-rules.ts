import { globMatcher } from '../lib/glob.ts'
import type { Issuer, IssuerKind } from '../lib/issuers.ts'
import { Problem } from '../problems.ts'

/** What a rule wants of an ID token, by claim: the very text, or one with `*` in it. */
export type WantedClaims = Readonly<Record<string, string>>

/** Claims as the rules compare them: what is neither text, number nor boolean is left out. */
export type TokenClaims = Readonly<Record<string, string>>

/** Claims that a rule may name. */
export const mostClaims = 20
/** Characters of a claim that a rule names. */
export const longestClaim = 500

interface Pin {
  claim: string
  shape: RegExp
  /** What an owner is told who has forgotten it, or typed something else. */
  help: string
}

const projectNumber = /^[1-9]\d{0,18}$/

/** The one claim that nobody else will ever have: names of repositories and projects are given up, and taken by strangers. */
const pins: Record<IssuerKind, Pin> = {
  github: {
    claim: 'repository_id',
    shape: projectNumber,
    help: 'must be the number of one repository, which stays when it is renamed and goes to nobody else: "id" at https://api.github.com/repos/OWNER/REPO',
  },
  gitlab: {
    claim: 'project_id',
    shape: projectNumber,
    help: 'must be the number of one project, which stays when it is renamed and goes to nobody else: its page in GitLab shows it as "Project ID"',
  },
  other: {
    claim: 'sub',
    shape: /^[^*?]+$/,
    help: "must be the job's whole subject, without * and ?: let the job try once, and copy sub from the refusal",
  },
}

/** The claim that rules about an issuer of this kind must pin. */
export function pinOf(kind: IssuerKind): { claim: string; help: string } {
  return pins[kind]
}

/** What every ID token is checked for, whatever a rule says. */
const checkedAnyhow: ReadonlySet<string> = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'])

/**
 * Events whose jobs run with the rights of a repository on what strangers send to it. A rule that does not name them is about none.
 *
 * https://docs.github.com/en/actions/reference/security/secure-use
 */
const eventsOfStrangers: ReadonlySet<string> = new Set(['pull_request_target', 'workflow_run'])
/**
 * What GitLab calls the same: a member may run the pipeline of a fork's merge request in the project, and its `ref` is the branch of
 * the fork, which may have any name.
 *
 * https://docs.gitlab.com/ci/pipelines/merge_request_pipelines/#run-pipelines-in-the-parent-project
 */
const sourcesOfStrangers: ReadonlySet<string> = new Set(['merge_request_event'])

/**
 * Checks what a rule wants, and answers the pin by which it is found.
 *
 * @throws Problem `bad-request`, with a sentence that says what to do
 */
export function readRule(issuer: Issuer, claims: WantedClaims): string {
  const names = Object.keys(claims)
  if (names.length > mostClaims) throw new Problem('bad-request', `claims: may be ${mostClaims} at most`)
  const { claim, shape, help } = pins[issuer.kind]
  const pinned = claims[claim]
  if (pinned === undefined || !shape.test(pinned)) throw new Problem('bad-request', `claims.${claim}: ${help}`)
  for (const name of names) {
    if (!/^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/.test(name))
      throw new Problem('bad-request', 'claims: has a name that no claim has')
    if (checkedAnyhow.has(name))
      throw new Problem('bad-request', `claims.${name}: is checked in any case; leave it out`)
    const length = claims[name]?.length ?? 0
    if (length < 1 || length > longestClaim)
      throw new Problem('bad-request', `claims.${name}: must have 1 to ${longestClaim} characters`)
  }
  return pinText(claim, pinned)
}

/** By what the rules are found that may be about a token; undefined where it cannot be about any. */
export function pinnedBy(issuer: Issuer, claims: TokenClaims): string | undefined {
  const { claim, shape } = pins[issuer.kind]
  const value = claims[claim]
  // No rule has a longer one, nor an index on every database.
  return value !== undefined && value.length <= longestClaim && shape.test(value) ? pinText(claim, value) : undefined
}

function pinText(claim: string, value: string): string {
  return `${claim}=${value}`
}

/** Whether a token says everything that a rule wants. */
export function isAbout(wanted: WantedClaims, claims: TokenClaims, kind: IssuerKind): boolean {
  const { event_name: event, pipeline_source: source } = claims
  // All that GitHub signs says it: of what does not, nobody knows who set it off.
  if (kind === 'github' && event === undefined) return false
  if (event !== undefined && eventsOfStrangers.has(event) && wanted.event_name !== event) return false
  if (source !== undefined && sourcesOfStrangers.has(source) && wanted.pipeline_source !== source) return false
  const pin = pins[kind].claim
  if (wanted[pin] === undefined || wanted[pin] !== claims[pin]) return false
  return Object.entries(wanted).every(([name, pattern]) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    return value !== undefined && (name === pin || globMatcher(pattern)(value))
  })
}

/** The claims of a verified token that can be compared. */
export function claimsFrom(payload: Readonly<Record<string, unknown>>): TokenClaims {
  const texts = Object.entries(payload).flatMap(([name, value]): [string, string][] => {
    const text = textOf(value)
    return text === undefined || name === '__proto__' ? [] : [[name, text]]
  })
  return Object.fromEntries(texts)
}

function textOf(value: unknown): string | undefined {
  // PostgreSQL has no NUL, and UTF-8 no half of a surrogate pair.
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0') ? value : undefined
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value)
  return undefined
}

/** What is shown of a job to whoever may see what it published: where it ran and of what, and by whose push. No mail address. */
const shownClaims = [
  'sub',
  'repository',
  'repository_id',
  'repository_owner',
  'repository_owner_id',
  'project_path',
  'project_id',
  'namespace_path',
  'namespace_id',
  'ref',
  'ref_type',
  'ref_protected',
  'ref_path',
  'sha',
  'environment',
  'environment_protected',
  'event_name',
  'pipeline_source',
  'workflow',
  'workflow_ref',
  'workflow_sha',
  'job_workflow_ref',
  'job_workflow_sha',
  'ci_config_ref_uri',
  'ci_config_sha',
  'run_id',
  'run_number',
  'run_attempt',
  'pipeline_id',
  'job_id',
  'runner_environment',
  'actor',
  'actor_id',
  'user_login',
  'user_id',
] as const

/** What is kept of a claim's text. */
const keptOfClaim = 300

/** What is kept with what a job publishes: of the claims that say what it is, and of those by which a rule let it in. */
export function keptClaims(claims: TokenClaims, wanted: readonly WantedClaims[]): TokenClaims {
  const names = new Set<string>([...shownClaims, ...wanted.flatMap(Object.keys)])
  const kept = [...names].flatMap((name): [string, string][] => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    return value === undefined || isPrivate(name) ? [] : [[name, cut(value)]]
  })
  return Object.fromEntries(kept.slice(0, shownClaims.length + mostClaims))
}

/** A rule may ask for it, but nobody else shall read it. */
function isPrivate(name: string): boolean {
  return /mail/i.test(name)
}

/** No half of a character at the end. */
function cut(text: string): string {
  return text.length <= keptOfClaim ? text : `${text.slice(0, keptOfClaim - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
