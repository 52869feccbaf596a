import { Api, giteaApi, type HttpClient, type HttpResponse } from 'gitea-js'
import { answerOf, compare, groups } from './client-types.ts'
import { basic } from './stowage.ts'
import type { Type } from './type-grammar.ts'

type Credentials = { token: string } | { user: string; password: string } | undefined

type Groups = Omit<Api<unknown>, keyof HttpClient<unknown>>

/** A type of the client's whose every field is there, which is what its calls have checked. */
type Whole<Value> = Value extends (infer Item)[]
  ? Whole<Item>[]
  : Value extends object
    ? { [Field in keyof Value]-?: Whole<Value[Field]> }
    : Value

/** What a call answers; `any`, which says nothing, is an empty answer. */
type Answered<Answer> = 0 extends 1 & Answer ? undefined : Answer extends undefined ? undefined : Whole<Answer>

type CheckedCall<Call> = Call extends (...args: infer Args) => Promise<HttpResponse<infer Answer, infer _>>
  ? (...args: Args) => Promise<Answered<Answer>>
  : never

/** The API of gitea-js, with the answer itself for each call. */
export type CheckedClient = {
  [Group in keyof Groups]: { [Call in keyof Groups[Group]]: CheckedCall<Groups[Group][Call]> }
}

/** A well-formed answer of the API that says no. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * gitea-js, calling a server. An answer that does not fit the type which the client has for it, or lacks one of its fields,
 * is an error; a call of which the types say nothing must be answered with 204.
 */
export function checkedClient(url: string, credentials?: Credentials): CheckedClient {
  const api = clientFor(url, credentials) as unknown as Record<string, Calls>
  const checked = groups().map((group) => [group, checkedGroup(group, api[group] ?? {})])
  return Object.fromEntries(checked) as CheckedClient
}

/** Only tokens go through `giteaApi`, which puts its own worker in the place of any other. */
function clientFor(url: string, credentials: Credentials): Api<unknown> {
  if (!credentials || 'token' in credentials) return giteaApi(url, credentials)
  const headers = { Authorization: basic(credentials.user, credentials.password) }
  return new Api({ baseUrl: `${url}/api/v1`, baseApiParams: { format: 'json', headers } })
}

type Calls = Record<string, (...args: unknown[]) => Promise<HttpResponse<unknown, unknown>>>

function checkedGroup(group: string, calls: Calls) {
  const checked = Object.entries(calls).map(([method, call]) => {
    const name = `${group}.${method}`
    return [
      method,
      async (...args: unknown[]) => checkedAnswer(name, answerOf(group, method), await said(name, call(...args))),
    ]
  })
  return Object.fromEntries(checked)
}

/** An answer, and a `Refused` for what the client throws: the answers that say no, as they are. */
async function said(name: string, answer: ReturnType<Calls[string]>) {
  try {
    return await answer
  } catch (thrown) {
    if (!(thrown instanceof Response)) throw thrown
    const { status, error } = thrown as Awaited<typeof answer>
    demandFit(`${name}, ${status}`, 'APIError', error)
    throw new Refused(status, (error as { message: string }).message)
  }
}

function checkedAnswer(name: string, type: Type, { status, data }: HttpResponse<unknown, unknown>): unknown {
  if (!saysNothing(type)) demandFit(name, type, data)
  else if (status !== 204)
    throw new Error(`${name}: ${status} where 204 must be, as the types say nothing of an answer`)
  return data ?? undefined
}

function saysNothing(type: Type): boolean {
  return type.kind === 'named' && ['any', 'void'].includes(type.name)
}

/** Throws unless the value fits and is whole. */
export function demandFit(name: string, type: string | Type, value: unknown): void {
  const { mismatches, missing } = compare(type, value)
  const reasons = [...mismatches, ...missing.map((path) => `${path}: is missing`)]
  if (reasons.length > 0) throw new Error(`${name} does not fit the client's type:\n${reasons.join('\n')}`)
}
