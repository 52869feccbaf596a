import { Hono } from 'hono'
import { z } from 'zod'
import { scopeOfJobs } from '../../access/token-exchange.ts'
import { Problem, type ProblemCode } from '../../problems.ts'
import { logFailure } from '../failures.ts'
import type { HttpParts } from '../parts.ts'
import { tell } from '../problem-response.ts'
import { requestJson, wholeBody } from '../request-body.ts'
import { json } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
/** An ID token is a JWT, and not every client knows how to say the one. */
const idTokens = ['urn:ietf:params:oauth:token-type:id_token', 'urn:ietf:params:oauth:token-type:jwt']

/** Bytes of a request: an ID token, and a few words. */
const longestRequest = 32 * 1024

const request = z
  .object({
    grant_type: z.literal(tokenExchange),
    subject_token: z.string().meta({ description: 'The ID token; its audience is the public address of this server.' }),
    subject_token_type: z.enum(idTokens),
    resource: z.string().optional().meta({
      description:
        'Whose rules are meant: the address of his packages, `https://packages.example.com/api/packages/acme`. Say it: without it the job is refused once rules of several owners are about it.',
    }),
    requested_token_type: z.literal(accessToken).optional(),
  })
  .meta({ id: 'TokenExchangeRequest' })

const answer = z
  .object({
    access_token: z.string(),
    issued_token_type: z.literal(accessToken),
    token_type: z.literal('Bearer'),
    expires_in: z.int().meta({ description: 'Seconds.' }),
    scope: z.string(),
    owner: z.string().meta({ description: 'Where it publishes.' }),
    packages: z.array(z.string()).readonly().meta({ description: 'Patterns of the packages that it publishes.' }),
  })
  .meta({ id: 'TokenExchangeAnswer' })

const refusal = z
  .object({
    error: z
      .enum(['invalid_request', 'invalid_target', 'unsupported_grant_type', 'temporarily_unavailable'])
      .meta({ description: 'RFC 8693 §2.2.2 and RFC 6749 §5.2.' }),
    error_description: z.string().meta({ description: 'What is wrong, in a sentence for people.' }),
  })
  .meta({ id: 'TokenExchangeRefusal' })

type OAuthError = z.output<typeof refusal>['error']

/** Problems that are told as this protocol tells them; all others are none of its. */
const told: Partial<Record<ProblemCode, OAuthError>> = {
  'bad-request': 'invalid_request',
  'body-too-large': 'invalid_request',
  'body-incomplete': 'invalid_request',
  'too-many-attempts': 'temporarily_unavailable',
  'issuer-unavailable': 'temporarily_unavailable',
}

/** `POST /oidc/token`: a job brings the ID token of its CI system and gets one that publishes. */
export function oidcToken(parts: HttpParts): Hono<ApiEnv> {
  const exchange = async (sent: Request, address: string): Promise<Response> => {
    const { subjectToken, owner } = wanted(await parametersOf(sent), parts.publicUrl())
    const made = await parts.tokenExchange.exchange({ idToken: subjectToken, owner }, address)
    const fields = { 'package.owner': made.owner, 'publisher.name': made.rules[0], 'client.address': address }
    parts.log.info(fields, `Gave a job a token of ${made.owner} for its ID token`)
    const body = {
      access_token: made.secret,
      issued_token_type: accessToken,
      token_type: 'Bearer',
      expires_in: made.livesFor / 1000,
      scope: scopeOfJobs,
      owner: made.owner,
      packages: made.packages,
    } satisfies z.output<typeof answer>
    // RFC 6749 §5.1 wants both this and `Cache-Control`.
    return json(body, 200, { Pragma: 'no-cache' })
  }

  return new Hono<ApiEnv>().post(
    '/oidc/token',
    documented({
      tag: 'packages',
      id: 'exchangeIdToken',
      summary: 'Exchange the ID token of a CI job for a token that publishes',
      description:
        'RFC 8693. The token lives for 15 minutes and can publish what the rules of its owner say, and nothing else. Each ID token is good for one exchange.',
      callers: 'not asked',
      scope: null,
      body: request,
      bodyType: 'application/x-www-form-urlencoded',
      answers: {
        200: { description: 'The token.', schema: answer },
        400: { description: 'The ID token is not good, or no rule is about it.', schema: refusal },
        413: { description: 'The request is too long.', schema: refusal },
        429: { description: 'Too many from one network.', schema: refusal },
        503: { description: 'The issuer does not tell its keys.', schema: refusal },
      },
    }),
    async (c) => {
      try {
        return await exchange(c.req.raw, c.env.address())
      } catch (error) {
        const usual = error instanceof Problem ? told[error.code] : undefined
        if (!(error instanceof Problem) || usual === undefined) throw error
        const { status, sentence, facts, headers } = tell(error, logFailure(parts.log, c.req.raw, error))
        if (status === 400) parts.log.info({ 'client.address': c.env.address() }, `Refused an ID token: ${sentence}`)
        const body = { error: (facts.error as OAuthError) ?? usual, error_description: inAscii(sentence) }
        return json(body satisfies z.output<typeof refusal>, status, Object.fromEntries(headers))
      }
    },
  )
}

/** A form, as the standard has it, or the same as JSON. */
async function parametersOf(sent: Request): Promise<URLSearchParams> {
  const type = sent.headers.get('content-type') ?? ''
  if (/^application\/json\b/i.test(type)) {
    const read = await requestJson(sent)
    if (typeof read !== 'object' || read === null) throw new Problem('bad-request', 'The body must be an object.')
    const pairs = Object.entries(read).filter(([, value]) => value !== null && value !== undefined)
    if (pairs.some(([, value]) => typeof value !== 'string')) {
      throw new Problem('bad-request', 'Every parameter must be a text.')
    }
    return new URLSearchParams(pairs as [string, string][])
  }
  const body = await wholeBody(sent, longestRequest, `The request may have ${longestRequest} bytes at most.`)
  return new URLSearchParams(body.toString('utf8'))
}

function wanted(sent: URLSearchParams, publicUrl: string): { subjectToken: string; owner: string | undefined } {
  // Parameters that are not known mean nothing, and empty ones are not there (RFC 6749 §3.2).
  const one = (name: string): string | undefined => {
    const all = sent.getAll(name).filter((value) => value !== '')
    if (all.length <= 1) return all[0]
    const error = name === 'resource' ? 'invalid_target' : 'invalid_request'
    throw new Problem('bad-request', `${name} must be there once.`, { error })
  }
  if (one('grant_type') !== tokenExchange) {
    throw new Problem('bad-request', `grant_type must be ${tokenExchange}.`, { error: 'unsupported_grant_type' })
  }
  const subjectToken = one('subject_token')
  if (subjectToken === undefined) throw new Problem('bad-request', 'subject_token is missing: send the ID token.')
  if (!idTokens.includes(one('subject_token_type') ?? '')) {
    throw new Problem('bad-request', `subject_token_type must be ${idTokens.join(' or ')}.`)
  }
  if ((one('requested_token_type') ?? accessToken) !== accessToken) {
    throw new Problem('bad-request', `requested_token_type can be ${accessToken} only.`)
  }
  if (one('actor_token') !== undefined) throw new Problem('bad-request', 'Nobody acts for somebody else here.')
  const resource = one('resource')
  return { subjectToken, owner: resource === undefined ? undefined : ownerIn(resource, publicUrl) }
}

/** Whose packages are at an address. */
function ownerIn(resource: string, publicUrl: string): string {
  const base = `${publicUrl}/api/packages/`
  const [name = '', ...more] = resource.startsWith(base)
    ? resource.slice(base.length).replace(/\/$/, '').split('/')
    : []
  if (name !== '' && more.length === 0) return name
  throw new Problem('bad-request', `resource must be the address of an owner's packages: ${base}OWNER`, {
    error: 'invalid_target',
  })
}

/** Characters that a description may have (RFC 6749 §5.2). */
function inAscii(text: string): string {
  return text
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 2_000)
}
