import { sha256Of } from './seeded.ts'

/**
 * What clients asked of several nodes and were answered while things failed, and whether that can have been right. Moments are
 * numbers of one counter, so every two of them can be compared.
 */
export interface History {
  requests: RecordedRequest[]
  /** When a node was no process, or may have been none. */
  down: { node: number; from: number; to: number }[]
  /** Moments at which nothing was under way: what has not happened by then of an earlier request never does. */
  quiet: number[]
  /** From then on nothing fails any more. */
  healed: number
}

export interface RecordedRequest {
  node: number
  method: 'PUT' | 'GET' | 'DELETE'
  /** Of the file. */
  name: string
  /** SHA-256 of the bytes that a PUT has sent: no two files have the same. */
  sent?: string
  /** Of a GET: all of the file where there is none. */
  range?: string
  began: number
  /** When the head of an answer was there; undefined where none came. */
  answered: number | undefined
  ended: number
  milliseconds: number
  status?: number
  retryAfter?: string | null
  /** SHA-256 of the file, as the head of a GET's answer says it. */
  etag?: string
  /** What came of a GET's body. */
  received?: { bytes: number; sha256: string }
  /** Whether the body's end was missing, as its client saw it. */
  isBroken?: boolean
}

/** Milliseconds after which a client counts as one that was left waiting. */
export const longestWait = 60_000

const expected = { PUT: [201, 409], GET: [200, 206, 404], DELETE: [204, 404] }
const unavailable = [502, 503]

/** What cannot have been right, a sentence each. `bytesOf` has the bytes that somebody has sent, by their SHA-256. */
export function checkHistory(history: History, bytesOf: (sha256: string) => Uint8Array | undefined): string[] {
  const names = Map.groupBy(history.requests, ({ name }) => name)
  return [
    ...history.requests.flatMap((request) => [...wrongAnswers(request, history), ...wrongBytes(request, bytesOf)]),
    ...[...names.values()].flatMap((requests) => wrongOrder(requests, history.quiet)),
  ]
}

function* wrongAnswers(request: RecordedRequest, { down, healed }: History): Generator<string> {
  const { node, method, began, answered, ended, milliseconds, status = 0, retryAfter } = request
  const it = titleOf(request)
  const mayBreak = down.some((of) => of.node === node && of.from <= ended && began <= of.to)
  if (milliseconds > longestWait) yield `${it} took ${milliseconds} ms`
  if (answered === undefined) {
    if (!mayBreak) yield `${it} had no answer, and its node was there`
    return
  }
  if (unavailable.includes(status)) {
    if (!/^[1-9]\d*$/.test(retryAfter ?? '')) yield `${it} was answered ${status} without Retry-After`
    if (began > healed) yield `${it} was answered ${status} when nothing failed any more`
  } else if (!expected[method].includes(status)) {
    yield `${it} was answered ${status}`
  }
  if (request.isBroken && method !== 'GET' && !mayBreak) yield `${it} broke off in its answer`
  if (request.isBroken && began > healed) yield `${it} broke off when nothing failed any more`
}

/** What a download has brought must be of the file, and all of it unless its client saw that it is not. */
function* wrongBytes(request: RecordedRequest, bytesOf: (sha256: string) => Uint8Array | undefined): Generator<string> {
  const { status, etag = '', received, range, isBroken } = request
  if (status !== 200 && status !== 206) return
  const it = titleOf(request)
  const file = bytesOf(etag)
  if (!file) return yield `${it} says it is a file that nobody has sent (ETag ${etag})`
  if (!received) return
  const [start, end] = status === 206 ? stretchOf(range ?? '', file.length) : [0, file.length]
  const whole = end - start
  if (received.bytes > whole) return yield `${it} had ${received.bytes} bytes of ${whole}`
  if (sha256Of(file.subarray(start, start + received.bytes)) !== received.sha256) return yield `${it} had wrong bytes`
  if (received.bytes < whole && !isBroken) yield `${it} looked whole, and had ${received.bytes} bytes of ${whole}`
}

/** First and last byte (exclusive) of one range, as RFC 9110 counts. */
function stretchOf(range: string, size: number): [number, number] {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? []
  if (first === '') return [Math.max(0, size - Number(last)), size]
  return [Number(first), last === '' ? size : Math.min(size, Number(last) + 1)]
}

const absent = 'no file'

/** What a request needed to find, and what is there after it. Undefined: it says nothing, and changed nothing. */
interface Step {
  request: RecordedRequest
  /** Whether it may have happened later than at its end, or not at all. */
  isOpen: boolean
  fits(there: string): boolean
  /** Undefined: what was there before. */
  leaves: string | undefined
}

function stepOf(request: RecordedRequest): Step | undefined {
  const { method, status = 0, sent = '', etag } = request
  const isOpen = request.answered === undefined || status >= 500
  const step = (fits: Step['fits'], leaves?: string): Step => ({ request, isOpen, fits, leaves })
  const isThere = (there: string) => there !== absent
  const isAbsent = (there: string) => there === absent
  if (method === 'PUT' && (isOpen || status === 201)) return step(isAbsent, sent)
  if (method === 'PUT' && status === 409) return step(isThere)
  if (method === 'DELETE' && (isOpen || status === 204)) return step(isThere, absent)
  if (method !== 'PUT' && status === 404) return step(isAbsent)
  if (method === 'GET' && (status === 200 || status === 206)) return step((there) => there === etag)
  return undefined
}

/** What may be there, and which of the steps that have begun and not ended have been taken by then. */
interface Possibility {
  there: string
  taken: ReadonlySet<Step>
}

/**
 * Whether the requests about one file can have happened in some order, each at one moment between its begin and its answer. All
 * that is possible is carried along from begin to answer to begin (Wing and Gong, as Lowe does it): an answer leaves over those
 * possibilities in which its step was taken. Where none is left it was wrong, and what it says is believed from then on.
 */
function wrongOrder(requests: readonly RecordedRequest[], quiet: readonly number[]): string[] {
  const steps = requests.map(stepOf).filter((step) => step !== undefined)
  const moments = [
    ...steps.map((step) => ({ at: step.request.began, begins: step })),
    ...steps.filter(({ isOpen }) => !isOpen).map((step) => ({ at: step.request.answered ?? 0, answers: step })),
    ...quiet.map((at) => ({ at, isQuiet: true })),
  ].sort((one, other) => one.at - other.at) as { at: number; begins?: Step; answers?: Step; isQuiet?: true }[]

  const wrong: string[] = []
  const running = new Set<Step>()
  let possible: Possibility[] = [{ there: absent, taken: new Set() }]
  const forget = (step: Step) => {
    running.delete(step)
    possible = distinct(
      possible.map(({ there, taken }) => ({ there, taken: new Set([...taken].filter((it) => it !== step)) })),
    )
  }
  for (const { at, begins, answers, isQuiet } of moments) {
    if (begins) {
      running.add(begins)
      possible = possible.map((one) => withFitting(one, running))
    } else if (answers) {
      const { those, seen } = thoseThatTake(answers, possible, running)
      if (those.length === 0) {
        wrong.push(sentenceOf(answers.request, seen, requests))
        const there =
          answers.leaves ?? (answers.fits(absent) ? absent : (answers.request.etag ?? [...seen][0] ?? absent))
        possible = [withFitting({ there, taken: new Set([answers]) }, running)]
      } else {
        possible = those
      }
      forget(answers)
    } else if (isQuiet) {
      for (const step of running) if (step.isOpen && step.request.ended < at) forget(step)
    }
  }
  return wrong
}

/** What changes nothing is taken as soon as it fits: nobody is ever worse off. */
function withFitting({ there, taken }: Possibility, running: ReadonlySet<Step>): Possibility {
  const fitting = [...running].filter((step) => step.leaves === undefined && step.fits(there))
  return { there, taken: new Set([...taken, ...fitting]) }
}

/** The possibilities in which this step was taken, after as few others as it takes; and all that can have been there. */
function thoseThatTake(
  wanted: Step,
  possible: readonly Possibility[],
  running: ReadonlySet<Step>,
): { those: Possibility[]; seen: Set<string> } {
  const those: Possibility[] = []
  const seen = new Set<string>()
  const looked = new Set<string>()
  const open = [...possible]
  for (let one = open.pop(); one; one = open.pop()) {
    const key = keyOf(one)
    if (looked.has(key)) continue
    looked.add(key)
    seen.add(one.there)
    if (one.taken.has(wanted)) {
      those.push(one)
      continue
    }
    // Of those that do the same and need not have happened any one will do.
    const tried = new Set<string>()
    for (const step of running) {
      if (step.leaves === undefined || one.taken.has(step) || !step.fits(one.there)) continue
      if (step.isOpen && tried.has(step.leaves)) continue
      if (step.isOpen) tried.add(step.leaves)
      open.push(withFitting({ there: step.leaves, taken: new Set([...one.taken, step]) }, running))
    }
  }
  return { those: distinct(those), seen }
}

function distinct(possible: readonly Possibility[]): Possibility[] {
  return [...new Map(possible.map((one) => [keyOf(one), one])).values()]
}

function keyOf({ there, taken }: Possibility): string {
  return [there, ...[...taken].map(({ request }) => request.began).sort((one, other) => one - other)].join(' ')
}

function sentenceOf(request: RecordedRequest, seen: ReadonlySet<string>, all: readonly RecordedRequest[]): string {
  const possible = [...seen].map((there) => {
    const from = all.find(({ sent }) => sent === there)
    return from ? `the file of ${from.began}` : there
  })
  const found = all.find(({ sent }) => sent !== undefined && sent === request.etag)
  const told = found ? `${request.status} with the file of ${found.began}` : request.status
  return `${titleOf(request)} was answered ${told}, where there was ${possible.join(' or ')}`
}

function titleOf({ node, method, name, range, began, ended }: RecordedRequest): string {
  return `${method} ${name}${range ? ` ${range}` : ''} at node ${node} (${began} to ${ended})`
}
