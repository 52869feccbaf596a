import { Problem, type ProblemCode } from '../../problems.ts'

/**
 * The same refusal in words for somebody who has typed into a form: what to do about it here, without what is for programs. `words`:
 * the whole sentence for a code.
 */
export async function inWords<T>(work: Promise<T>, words: Partial<Record<ProblemCode, string>> = {}): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    throw new Problem(error.code, words[error.code] ?? chosen(withoutPrograms(error.message)), error.facts, error)
  }
}

/** `Too many wrong passwords. Try again in 600 seconds, or use a token.` → `… Try again in 10 minutes.` */
export function withoutPrograms(sentence: string): string {
  return sentence
    .replace(/, or use a token(?=\.)/, '')
    .replace(/\b(\d+) seconds\b/g, (_, count: string) => lasting(Number(count)))
}

function lasting(seconds: number): string {
  if (seconds >= 90) return `${Math.ceil(seconds / 60)} minutes`
  return seconds === 1 ? '1 second' : `${seconds} seconds`
}

/** A link that leads nowhere is told at the field for its code. */
export async function byLink<T>(work: Promise<T>): Promise<T> {
  try {
    return await inWords(work)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'not-found') throw error
    throw new Problem('unprocessable', error.message, error.facts, error.cause)
  }
}

const fields = [
  ['code', /^code: |^This (?:invitation|link) /],
  ['user', /^user already exists|^a name must be|^the name "|^names ending in/],
  ['email', /^e-mail already in use|^email: /],
] as const

/** Which field of the forms here a refusal is about, by what it said before it was put into other words. */
export function fieldOf({ message: reworded, cause }: Problem): string | undefined {
  const message = cause instanceof Problem ? cause.message : reworded
  return fields.find(([, begin]) => begin.test(message))?.[0]
}

/** What was found wrong with a new account or a link, in words for whoever chose it. */
function chosen(sentence: string): string {
  if (/^user already exists/.test(sentence)) return 'Somebody has this name already. Choose another one.'
  if (/^e-mail already in use/.test(sentence)) return 'An account has this address already.'
  return sentence.replace(/^(?:code|email): /, '')
}
