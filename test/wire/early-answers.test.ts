import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { RawConnection } from '../support/raw-connection.ts'
import { refusal } from '../support/refusal.ts'
import { nothing, stored } from '../support/stored.ts'
import { adminPassword, basic, startStowage, type TestStowage } from '../support/stowage.ts'

const asAdmin = { Authorization: basic('admin', adminPassword) }
const asEve = { Authorization: basic('eve', 'eve-Pass-1234') }
const target = (file: string) => `/api/packages/admin/generic/tool/1.0/${file}`
const megabyte = 1024 * 1024

let stowage: TestStowage
beforeAll(async () => {
  stowage = await startStowage({ settings: { STOWAGE_LIMIT_FILE_SIZE: '16MiB' } })
  await stowage.user('eve')
  await stowage.admin.put({ file: 'taken' }, 'first')
})
afterAll(() => stowage[Symbol.asyncDispose]())

/** What is known before the body: target, headers, answer. */
const refusals: [string, string, string, Record<string, string>, number][] = [
  ['no such route', 'PUT', '/api/packages/admin/maven/tool/1.0/f', asAdmin, 404],
  ['not this method', 'POST', target('f'), asAdmin, 405],
  ['no credentials', 'PUT', target('f'), {}, 401],
  ['a wrong token', 'PUT', target('f'), { Authorization: `token ${'0'.repeat(40)}` }, 401],
  ['a wrong password', 'PUT', target('f'), { Authorization: basic('admin', 'wrong') }, 401],
  ['an unknown owner', 'PUT', '/api/packages/nobody/generic/tool/1.0/f', asAdmin, 404],
  ["somebody else's packages", 'PUT', target('f'), asEve, 403],
  ['a name that is not allowed', 'PUT', '/api/packages/admin/generic/-/1.0/f', asAdmin, 400],
  ['a bad escape', 'PUT', target('%zz'), asAdmin, 400],
  ['a dot segment', 'PUT', target('..'), asAdmin, 400],
  ['a partial PUT', 'PUT', target('f'), { ...asAdmin, 'Content-Range': 'bytes 0-9/100' }, 400],
  ['checksum deploy', 'PUT', target('f'), { ...asAdmin, 'X-Checksum-Deploy': 'true' }, 404],
  ['a digest that is none', 'PUT', target('f'), { ...asAdmin, 'X-Checksum-Sha256': 'abc' }, 400],
  ['a name that is taken', 'PUT', target('taken'), asAdmin, 409],
]

describe.each(refusals)('%s', (_, method, path, headers, status) => {
  test('is told before a byte of the body was sent', async () => {
    const framings: Record<string, string>[] = [{ 'Content-Length': '10000000' }, { 'Transfer-Encoding': 'chunked' }]
    for (const framing of framings) {
      await using connection = await RawConnection.open(stowage.port)
      await connection.write(head(method, path, { ...headers, ...framing }))
      expect((await connection.answer()).status).toBe(status)
    }
  })

  test('reaches a client that first sends all of it', async () => {
    await using connection = await RawConnection.open(stowage.port)
    await connection.write(head(method, path, { ...headers, 'Content-Length': String(4 * megabyte) }))
    await send(connection, 4 * megabyte)
    const answer = await connection.answer()
    expect(answer.status).toBe(status)
    expect((await refusal(answer))[1]).not.toBe('')
    // What was left of the body is not taken for the next request.
    await connection.write(head('GET', target('taken'), asAdmin))
    expect((await connection.answer()).body.toString()).toBe('first')
  })

  test('reaches a client that sends all of it and asked to close', async () => {
    await using connection = await RawConnection.open(stowage.port)
    const close = { Connection: 'close', 'Content-Length': String(4 * megabyte) }
    await connection.write(head(method, path, { ...headers, ...close }))
    await send(connection, 4 * megabyte)
    expect((await connection.answer()).status).toBe(status)
    await connection.closed()
  })
})

describe('a size over the limit', () => {
  test('that is declared is told before a byte of the body was sent', async () => {
    await using connection = await RawConnection.open(stowage.port)
    await connection.write(head('PUT', target('f'), { ...asAdmin, 'Content-Length': '999999999999' }))
    expect(await refusal(await connection.answer())).toEqual([403, 'maximum allowed package type size exceeded'])
  })

  test('that turns out on the way reaches a client that goes on sending', async () => {
    await using small = await startStowage({ settings: { STOWAGE_LIMIT_FILE_SIZE: '1MiB' } })
    await using connection = await RawConnection.open(small.port)
    await connection.write(head('PUT', target('f'), { ...asAdmin, 'Transfer-Encoding': 'chunked' }))
    await connection.write(`${(5 * megabyte).toString(16)}\r\n`)
    await send(connection, 5 * megabyte)
    await connection.write('\r\n0\r\n\r\n')
    expect(await refusal(await connection.answer())).toEqual([403, 'maximum allowed package type size exceeded'])
    expect(await stored(small)).toEqual(nothing)
  })
})

describe('Expect: 100-continue', () => {
  const expects = { Expect: '100-continue', 'Content-Length': '10' }

  test('the body is asked for, and then stored', async () => {
    await using connection = await RawConnection.open(stowage.port)
    await connection.write(head('PUT', target('continued'), { ...asAdmin, ...expects }))
    expect((await connection.answer()).status).toBe(100)
    await connection.write('ten bytes.')
    expect((await connection.answer()).status).toBe(201)
    expect(await (await stowage.anonymous.get({ file: 'continued' })).text()).toBe('ten bytes.')
  })

  test.each(refusals)('a client that waits is told of %s', async (_, method, path, headers, status) => {
    await using connection = await RawConnection.open(stowage.port)
    await connection.write(head(method, path, { ...headers, ...expects }))
    expect((await finalAnswer(connection)).status).toBe(status)
  })

  test('a client that does not wait is served all the same', async () => {
    await using connection = await RawConnection.open(stowage.port)
    await connection.write(`${head('PUT', target('impatient'), { ...asAdmin, ...expects })}ten bytes.`)
    expect((await finalAnswer(connection)).status).toBe(201)
  })
})

test('a connection serves one upload after the other', async () => {
  await using connection = await RawConnection.open(stowage.port)
  for (const [file, status] of [
    ['one', 201],
    ['one', 409],
    ['two', 201],
  ] as const) {
    await connection.write(`${head('PUT', target(file), { ...asAdmin, 'Content-Length': '3' })}abc`)
    expect((await connection.answer()).status).toBe(status)
  }
})

async function finalAnswer(connection: RawConnection) {
  const answer = await connection.answer()
  return answer.status === 100 ? await connection.answer() : answer
}

function head(method: string, path: string, headers: Record<string, string>): string {
  const lines = Object.entries({ Host: 'stowage', ...headers }).map(([name, value]) => `${name}: ${value}`)
  return [`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}

/** Sends that many bytes, in pieces, and reads nothing meanwhile. */
async function send(connection: RawConnection, size: number): Promise<void> {
  const piece = Buffer.alloc(64 * 1024, 'x')
  for (let sent = 0; sent < size; sent += piece.byteLength) await connection.write(piece)
}
