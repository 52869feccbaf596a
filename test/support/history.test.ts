import { expect, test } from 'bun:test'
import { checkHistory, type History, longestWait, type RecordedRequest } from './history.ts'
import { seededBytes, sha256Of } from './seeded.ts'

const files = [1, 2, 3].map((seed) => seededBytes(1000, seed))
const [one = '', two = '', three = ''] = files.map(sha256Of)
const bytesOf = (sha256: string) => files.find((bytes) => sha256Of(bytes) === sha256)

type Fields = Partial<RecordedRequest> & { began: number; ended: number }

function request(method: RecordedRequest['method'], fields: Fields): RecordedRequest {
  const { ended } = fields
  const retryAfter = (fields.status ?? 0) >= 502 ? '5' : null
  return { node: 1, method, name: 'a', milliseconds: 10, retryAfter, answered: ended, ...fields }
}

const put = (sent: string, began: number, ended: number, status: number, fields: Partial<RecordedRequest> = {}) =>
  request('PUT', { sent, began, ended, status, ...fields })
const remove = (began: number, ended: number, status: number, fields: Partial<RecordedRequest> = {}) =>
  request('DELETE', { began, ended, status, ...fields })
const missed = (began: number, ended: number) => request('GET', { began, ended, status: 404 })
const unavailable = (began: number, ended: number) => request('GET', { began, ended, status: 503 })
const silent: Partial<RecordedRequest> = { answered: undefined }

/** A GET that brings so many bytes of a file. */
function got(etag: string, began: number, ended: number, fields: Partial<RecordedRequest> = {}, bytes = 1000) {
  const received = { bytes, sha256: sha256Of((bytesOf(etag) ?? new Uint8Array()).subarray(0, bytes)) }
  return request('GET', { began, ended, status: 200, etag, received, isBroken: false, ...fields })
}

const checked = (requests: RecordedRequest[], others: Partial<History> = {}) =>
  checkHistory({ requests, down: [], quiet: [], healed: 1000, ...others }, bytesOf)

const broken = { isBroken: true }
const range = (text: string, from: number, bytes: number): Partial<RecordedRequest> => ({
  status: 206,
  range: text,
  received: { bytes, sha256: sha256Of(files[0]?.subarray(from, from + bytes) ?? new Uint8Array()) },
})

const right: [string, RecordedRequest[], Partial<History>?][] = [
  [
    'a file that is published, read, deleted and gone',
    [put(one, 1, 2, 201), got(one, 3, 4), remove(5, 6, 204), missed(7, 8)],
  ],
  ['a name that is used again', [put(one, 1, 2, 201), remove(3, 4, 204), put(two, 5, 6, 201), got(two, 7, 8)]],
  ['a race that one of two wins', [put(one, 1, 4, 201), put(two, 2, 3, 409), got(one, 5, 6)]],
  ['a publish seen before it is answered', [put(one, 1, 6, 201), got(one, 2, 3), got(one, 4, 5)]],
  ['a publish not yet seen while it runs', [put(one, 1, 4, 201), missed(2, 3)]],
  ['a delete seen before it is answered', [put(one, 1, 2, 201), remove(3, 6, 204), missed(4, 5)]],
  [
    'a name given up and taken while one reads',
    [put(one, 1, 2, 201), got(two, 3, 8), remove(4, 5, 204), put(two, 6, 7, 201)],
  ],
  [
    'a 409 by what was published meanwhile and is deleted',
    [put(one, 1, 8, 409), put(two, 2, 3, 201), remove(4, 5, 204)],
  ],
  ['a publish with an unknown end that happened', [put(one, 1, 2, 503), got(one, 3, 4)]],
  ['a publish with an unknown end that did not', [put(one, 1, 2, 503), missed(3, 4), put(two, 5, 6, 201)]],
  ['a publish with an unknown end that happened late', [put(one, 1, 2, 503), missed(3, 4), got(one, 5, 6)]],
  ['a retry that finds the first attempt', [put(one, 1, 2, 503), put(one, 3, 4, 409), got(one, 5, 6)]],
  ['a delete with an unknown end that happened', [put(one, 1, 2, 201), remove(3, 4, 503), missed(5, 6)]],
  [
    'many with unknown ends',
    [
      ...Array.from({ length: 12 }, (_, at) => (at % 2 ? remove(at, at, 503) : put(three, at, at, 503))),
      got(three, 20, 21),
      missed(22, 23),
    ],
  ],
  [
    'an answer that a node takes to its grave',
    [put(one, 1, 3, 0, silent), got(one, 5, 6)],
    { down: [{ node: 1, from: 2, to: 4 }] },
  ],
  [
    'a range',
    [
      put(one, 1, 2, 201),
      got(one, 3, 4, range('bytes=500-', 500, 500)),
      got(one, 5, 6, range('bytes=-7', 993, 7)),
      got(one, 7, 8, range('bytes=10-5000', 10, 990)),
    ],
  ],
  [
    'a download that its client sees break',
    [put(one, 1, 2, 201), got(one, 3, 4, broken, 400), got(one, 5, 6, broken, 0)],
  ],
  ['a store that cannot be read for a while', [put(one, 1, 2, 201), unavailable(3, 4), got(one, 5, 6)]],
  ['files that have nothing to do with each other', [put(one, 1, 2, 201), { ...missed(3, 4), name: 'b' }]],
]

for (const [what, requests, others] of right) {
  test(`right is ${what}`, () => expect(checked(requests, others)).toEqual([]))
}

const wrong: [string, RecordedRequest[], string, Partial<History>?][] = [
  [
    'a lost 201',
    [put(one, 1, 2, 201), missed(3, 4)],
    'GET a at node 1 (3 to 4) was answered 404, where there was the file of 1',
  ],
  ['a 201 that is lost later', [put(one, 1, 2, 201), got(one, 3, 4), missed(5, 6)], '(5 to 6) was answered 404'],
  [
    'a 201 that cannot be read in the end',
    [put(one, 1, 2, 201), unavailable(11, 12)],
    '(11 to 12) was answered 503 when nothing failed any more',
    { healed: 10 },
  ],
  [
    'a 201 of bytes that break off in the end',
    [put(one, 1, 2, 201), got(one, 11, 12, broken, 5)],
    'broke off when nothing failed any more',
    { healed: 10 },
  ],
  [
    'a read that is stale after a delete',
    [put(one, 1, 2, 201), remove(3, 4, 204), got(one, 5, 6)],
    '200 with the file of 1, where there was no file',
  ],
  [
    'a deleted file that comes back',
    [put(one, 1, 2, 201), remove(3, 4, 204), missed(5, 6), got(one, 7, 8)],
    '(7 to 8) was answered 200',
  ],
  [
    'a read of what was there before',
    [put(one, 1, 2, 201), remove(3, 4, 204), put(two, 5, 6, 201), got(one, 7, 8)],
    '200 with the file of 1, where there was the file of 5',
  ],
  [
    'two winners',
    [put(one, 1, 3, 201), put(two, 2, 4, 201)],
    'PUT a at node 1 (2 to 4) was answered 201, where there was',
  ],
  ['a 409 for nothing', [put(one, 1, 2, 409)], 'was answered 409, where there was no file'],
  ['a 204 for nothing', [remove(1, 2, 204)], 'was answered 204, where there was no file'],
  [
    'a 404 for a delete of what is there',
    [put(one, 1, 2, 201), remove(3, 4, 404)],
    'DELETE a at node 1 (3 to 4) was answered 404',
  ],
  ['what was seen and then not', [put(one, 1, 2, 503), got(one, 3, 4), missed(5, 6)], '(5 to 6) was answered 404'],
  [
    'what happens after nothing was under way any more',
    [put(one, 1, 2, 503), missed(3, 4), got(one, 6, 7)],
    '(6 to 7) was answered 200',
    { quiet: [5] },
  ],
  [
    'one unknown delete that happened twice',
    [put(one, 1, 2, 201), remove(3, 4, 503), missed(5, 6), put(two, 7, 8, 201), missed(9, 10)],
    '(9 to 10) was answered 404',
  ],
  ['a 500', [unavailable(1, 2), { ...missed(3, 4), status: 500 }], '(3 to 4) was answered 500'],
  ['a 400', [put(one, 1, 2, 400)], 'was answered 400'],
  [
    'an error without Retry-After',
    [{ ...unavailable(1, 2), retryAfter: null }],
    'was answered 503 without Retry-After',
  ],
  [
    'no answer of a node that was there',
    [put(one, 1, 3, 0, silent)],
    'had no answer, and its node was there',
    { down: [{ node: 2, from: 2, to: 4 }] },
  ],
  ['a long wait', [{ ...missed(1, 2), milliseconds: longestWait + 1 }], 'took 60001 ms'],
  ['wrong bytes', [put(one, 1, 2, 201), got(one, 3, 4, { received: { bytes: 1000, sha256: two } })], 'had wrong bytes'],
  [
    'wrong bytes before a break',
    [put(one, 1, 2, 201), got(one, 3, 4, { ...broken, received: { bytes: 9, sha256: two } })],
    'had wrong bytes',
  ],
  [
    'the wrong stretch',
    [put(one, 1, 2, 201), got(one, 3, 4, range('bytes=500-', 499, 500))],
    'bytes=500- at node 1 (3 to 4) had wrong bytes',
  ],
  [
    'a short file that looks whole',
    [put(one, 1, 2, 201), got(one, 3, 4, {}, 999)],
    'looked whole, and had 999 bytes of 1000',
  ],
  [
    'too many bytes',
    [put(one, 1, 2, 201), got(one, 3, 4, { received: { bytes: 1001, sha256: one } })],
    'had 1001 bytes of 1000',
  ],
  ['the bytes of nobody', [got('00', 1, 2)], 'a file that nobody has sent (ETag 00)'],
]

for (const [what, requests, sentence, others] of wrong) {
  test(`wrong is ${what}`, () => {
    expect(checked(requests, others)).toContainEqual(expect.stringContaining(sentence))
  })
}

test('what follows from a wrong answer is not wrong once more', () => {
  const requests = [put(one, 1, 2, 201), missed(3, 4), missed(5, 6), put(two, 7, 8, 201), got(two, 9, 10)]
  expect(checked(requests)).toHaveLength(1)
})
