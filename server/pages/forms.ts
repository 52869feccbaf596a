import type { z } from 'zod'
import { statusOf } from '../http/problem-response.ts'
import { wholeBody } from '../http/request-body.ts'
import { Problem } from '../problems.ts'

/** Bytes of a form: a README is the longest that anybody types. */
const longestForm = 512 * 1024

/** What somebody has typed and sent: `application/x-www-form-urlencoded`, by a browser. */
export class Form {
  readonly #fields: URLSearchParams

  constructor(fields: URLSearchParams) {
    this.#fields = fields
  }

  static async of(request: Request): Promise<Form> {
    const type = request.headers.get('content-type') ?? ''
    if (!/^application\/x-www-form-urlencoded\b/i.test(type)) {
      throw new Problem('bad-request', 'This takes a form (application/x-www-form-urlencoded).')
    }
    const body = await wholeBody(request, longestForm, `A form may have ${longestForm} bytes at most.`)
    return new Form(new URLSearchParams(body.toString('utf8')))
  }

  /** As it was typed, line ends as they are elsewhere; empty where there is none. */
  text(name: string): string {
    return (this.#fields.get(name) ?? '').replaceAll('\r\n', '\n')
  }

  all(name: string): string[] {
    return this.#fields.getAll(name)
  }

  /** Whether a box is ticked, or the button of that name was pressed. */
  has(name: string): boolean {
    return this.#fields.has(name)
  }
}

/** What is wrong with a form: a sentence at a field, or above all of them (`form`). */
export interface Faults {
  status: number
  fields: Record<string, string>
  form?: string
}

/** The values, checked; or what to say at which field. */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  values: unknown,
): { data: z.output<Schema>; faults?: undefined } | { data?: undefined; faults: Faults } {
  const parsed = schema.safeParse(values)
  if (parsed.success) return { data: parsed.data }
  const fields: Record<string, string> = {}
  for (const { path, message } of parsed.error.issues) {
    const [field = 'form'] = path
    fields[String(field)] ??= sentence(message)
  }
  const { form, ...others } = fields
  return { faults: { status: 422, fields: others, ...(form ? { form } : {}) } }
}

/** Refusals that the person who sent the form can do something about, by typing something else. */
const mendable = new Set<Problem['code']>([
  'bad-request',
  'invalid-name',
  'forbidden',
  'credentials-wrong',
  'already-exists',
  'quota-exceeded',
  'too-large',
  'unprocessable',
  'too-many-attempts',
])

/**
 * Does what a form asks for. A refusal that can be mended comes back as what to say, at the field that `at` names if it knows one;
 * everything else is thrown.
 */
export async function attempt<T>(
  work: () => Promise<T>,
  at: (problem: Problem) => string | undefined = () => undefined,
): Promise<{ done: T; faults?: undefined } | { done?: undefined; faults: Faults }> {
  try {
    return { done: await work() }
  } catch (error) {
    if (!(error instanceof Problem) || !mendable.has(error.code)) throw error
    const field = at(error)
    const text = sentence(field ? withoutField(error.message, field) : error.message)
    const status = statusOf(error)
    return { faults: field ? { status, fields: { [field]: text } } : { status, fields: {}, form: text } }
  }
}

/** For `attempt`: the field that a refusal of the JSON API names, where it is one of these. */
export function fieldNamed(fields: readonly string[]) {
  return ({ message }: Problem) => fields.find((field) => message.startsWith(`${field}: `))
}

function withoutField(text: string, field: string): string {
  return text.startsWith(`${field}: `) ? text.slice(field.length + 2) : text
}

/** `must have 8 characters` → `Must have 8 characters.` */
export function sentence(text: string): string {
  const begun = text.slice(0, 1).toUpperCase() + text.slice(1)
  return /[.!?…)]$/.test(begun) ? begun : `${begun}.`
}
