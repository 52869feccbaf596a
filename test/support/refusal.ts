import type { RawAnswer } from './raw-socket.ts'

/** Status and sentence of an answer that says no. The line's end is left to the server. */
export async function refusal(answer: Response | RawAnswer): Promise<[status: number, sentence: string]> {
  const text = answer instanceof Response ? await answer.text() : answer.body.toString()
  return [answer.status, text.replace(/\n$/, '')]
}
