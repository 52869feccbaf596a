import { expect } from 'bun:test'
import type { Client, TestStowage } from './stowage.ts'

/** The code of a link: what a browser keeps to itself. */
export function codeIn(address: string): string {
  const [, code] = /#([\w-]{43})(?:\s|$)/.exec(address) ?? []
  if (!code) throw new Error(`there is no code in ${address}`)
  return code
}

export interface Made {
  id: number
  url: string
  code: string
  [field: string]: unknown
}

/** A link that somebody makes, as he is told it. */
export async function makeLink(maker: Client, path: string, body: object = {}): Promise<Made> {
  const response = await maker.post(`/api/v1${path}`, body)
  const made = (await response.json()) as Omit<Made, 'code'> & { url: string }
  expect({ status: response.status, made }).toMatchObject({ status: 201 })
  return { ...made, code: codeIn(made.url) } as Made
}

let senders = 0

/** Sends what a page or a script sends to `/user`, each time from another address, so that no test uses up the tries of another. */
export function sendTo(stowage: TestStowage, path: string, body: unknown, from?: string): Promise<Response> {
  senders += 1
  const address = from ?? `10.1.${senders >> 8}.${senders & 255}`
  return stowage.anonymous.with({ 'X-Forwarded-For': address }).post(`/user/${path}`, body)
}

/** Status and sentence. */
export async function told(response: Response | Promise<Response>): Promise<[number, string]> {
  const { status } = await response
  const text = await (await response).text()
  return [status, text ? ((JSON.parse(text) as { message?: string }).message ?? '') : '']
}
