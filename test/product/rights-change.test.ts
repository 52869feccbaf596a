import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { parseAnswer } from '../support/raw-socket.ts'
import { adminPassword, basic, startStowage, type TestStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

/** Sends a request's head and half of its body, does something else, and sends the rest. */
async function interrupted(stowage: TestStowage, path: string, body: object, meanwhile: () => Promise<unknown>) {
  const text = JSON.stringify(body)
  const chunks: Buffer[] = []
  const socket = connect(stowage.port, '127.0.0.1')
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: stowage',
    'Connection: close',
    `Authorization: ${basic('admin', adminPassword)}`,
    `Content-Length: ${text.length}`,
    '',
    text.slice(0, 5),
  ]
  socket.write(head.join('\r\n'))
  // The caller has been recognised once his password was computed.
  const { passwords } = stowage.stowage
  const recognised = async () => passwords.isRemembered(await storedPassword(stowage), adminPassword)
  await until(recognised, 'the caller is recognised')
  await meanwhile()
  socket.write(text.slice(5))
  await closed
  return parseAnswer(Buffer.concat(chunks))
}

async function storedPassword(stowage: TestStowage) {
  const { id, password_hash } = await stowage.stowage.registry.catalogue.read
    .selectFrom('users')
    .select(['id', 'password_hash'])
    .executeTakeFirstOrThrow()
  return { id, hash: password_hash ?? '' }
}

test.each([
  ['/api/v1/users/admin/tokens', { name: 'late', scopes: ['all'] }],
  ['/api/v1/admin/users', { username: 'eve', password: 'eve-Pass-1234' }],
])('a password that is reset while a body of %s arrives makes nothing any more', async (path, body) => {
  await using stowage = await startStowage()
  const reset = () => stowage.stowage.accounts.resetAdministrator(undefined, 'another-Pass-1')
  const answer = await interrupted(stowage, path, body, reset)
  expect(answer.status).toBe(401)
  const { read } = stowage.stowage.registry.catalogue
  expect(await read.selectFrom('tokens').selectAll().execute()).toEqual([])
  expect(await read.selectFrom('users').selectAll().execute()).toHaveLength(1)
})

test('a token makes children that end with it', async () => {
  const clock = { now: Date.now() }
  await using stowage = await startStowage({ replace: { now: () => clock.now } })
  const end = new Date(Math.floor(clock.now / 1000) * 1000 + 60_000)
  const parent = await stowage.admin.token(['all'], { expires_at: end.toISOString() })
  const byParent = stowage.admin.with({ Authorization: basic('x', parent.secret) })
  const wanted = [null, new Date(end.getTime() + 60_000).toISOString(), new Date(end.getTime() - 30_000).toISOString()]
  const given: unknown[] = []
  for (const expires_at of wanted) {
    const answer = await byParent.post('/api/v1/users/admin/tokens', {
      name: `${expires_at}`,
      scopes: ['all'],
      expires_at,
    })
    given.push(((await answer.json()) as { expires_at: string }).expires_at)
  }
  const shown = (time: Date) => time.toISOString().replace('.000Z', 'Z')
  expect(given).toEqual([shown(end), shown(end), shown(new Date(end.getTime() - 30_000))])
})

test('guesses that come at once do not pass the limit together, for a known name and an unknown one alike', async () => {
  await using stowage = await startStowage()
  for (const name of ['admin', 'nobody']) {
    const guesses = Array.from({ length: 30 }, (_, index) =>
      stowage.anonymous.fetch('/api/v1/user', { headers: { Authorization: basic(name, `guess-${index}`) } }),
    )
    const statuses = (await Promise.all(guesses)).map(({ status }) => status)
    expect({ name, wrong: statuses.filter((status) => status === 401).length }).toEqual({ name, wrong: 10 })
    expect(statuses.every((status) => status === 401 || status === 429)).toBe(true)
  }
})

test('forty jobs that start together with one right password cost one computation', async () => {
  await using stowage = await startStowage()
  const before = stowage.stowage.passwords.computations
  const calls = Array.from({ length: 40 }, () => stowage.admin.fetch('/api/v1/user'))
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(40).fill(200))
  expect(stowage.stowage.passwords.computations - before).toBe(1)
})
