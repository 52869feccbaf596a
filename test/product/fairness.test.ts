import { expect, test } from 'bun:test'
import { basic, type Client, startStowage } from '../support/stowage.ts'
import { until } from '../support/until.ts'

/** Publishes one version after the other into one package, by as many at once, until it is stopped. */
function publishWithoutEnd(client: Client, publishers: number) {
  const state = { published: 0, refused: [] as number[], stopped: false }
  const publisher = async (who: number) => {
    for (let index = 0; !state.stopped && index < 2_000; index += 1) {
      const { status } = await client.put({ version: `${who}.${index}` }, `bytes ${who} ${index}`)
      if (status === 201) state.published += 1
      else if (state.refused.push(status) > 0) return
    }
  }
  const all = Promise.all(Array.from({ length: publishers }, (_, who) => publisher(who)))
  const stop = async () => {
    state.stopped = true
    await all
  }
  return Object.assign(state, { stop, [Symbol.asyncDispose]: stop })
}

test('under a constant load of publishes, whoever needs something for himself gets his turn', async () => {
  await using stowage = await startStowage()
  const ada = await stowage.user('ada')
  const token = await ada.token(['write:package'], { name: 'ci' })
  expect((await ada.put({ version: 'old' }, 'old')).status).toBe(201)

  const publishers = 16
  await using load = publishWithoutEnd(token, publishers)
  const turns: [string, () => Promise<unknown>][] = [
    ['a lease that is renewed', () => stowage.stowage.registry.lease.renew()],
    ['a version that is deleted', async () => expect((await ada.deleteVersion({ version: 'old' })).status).toBe(204)],
    [
      'an e-mail address that is changed',
      async () => {
        const settings = { method: 'PATCH', body: '{"email":"ada@example.org"}' }
        expect((await ada.fetch('/api/v1/user/settings', settings)).status).toBe(200)
      },
    ],
    [
      'a token that is revoked',
      async () => {
        const answer = await ada.fetch('/api/v1/users/ada/tokens/ci', { method: 'DELETE' })
        expect(answer.status).toBe(204)
      },
    ],
  ]
  const overtaken: Record<string, number> = {}
  for (const [name, turn] of turns) {
    // So many that there was not one moment without a publish.
    const before = load.published
    await until(() => load.published >= before + publishers, `the load runs before ${name}`)
    const asked = load.published
    await turn()
    overtaken[name] = load.published - asked
  }
  await load.stop()
  // Those that were under way before it, and some who came while it was on its way.
  const most = 2 * publishers
  for (const [name] of turns) expect({ name, over: (overtaken[name] ?? 0) > most }).toEqual({ name, over: false })
  expect(new Set(load.refused)).toEqual(new Set([401]))
})

test('a token that gives one account after the other a token is revoked all the same', async () => {
  await using stowage = await startStowage()
  const { secret } = await stowage.admin.token(['all'], { name: 'leaked' })
  const accounts = 2_000
  await stowage.change(`
    with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${accounts})
    insert into owners (kind, name, name_key, visibility, created_at)
    select 'user', 'many' || n, 'many' || n, 'private', 0 from numbers`)
  await stowage.change(`
    insert into users (id, full_name, is_admin, is_active, is_restricted, prohibit_login, must_change_password)
    select id, '', 0, 1, 0, 0, 0 from owners where name like 'many%'`)
  const leaked = stowage.admin.with({ Authorization: basic('whoever', secret) })
  const refused: number[] = []
  let given = 0
  const giver = async (who: number, givers: number) => {
    for (let index = who; index < accounts; index += givers) {
      const { status } = await leaked.post(`/api/v1/users/many${index + 1}/tokens`, { name: 'x', scopes: ['all'] })
      if (status === 201) given += 1
      else return refused.push(status)
    }
    return undefined
  }
  const givers = 16
  const all = Promise.all(Array.from({ length: givers }, (_, who) => giver(who, givers)))
  await until(() => given > givers, 'tokens are given')
  const answer = await stowage.admin.fetch('/api/v1/users/admin/tokens/leaked', { method: 'DELETE' })
  await all
  expect({ status: answer.status, refused }).toEqual({
    status: 204,
    refused: Array.from({ length: givers }, () => 401),
  })
  expect(await stowage.change("select id from tokens where name = 'x'")).toEqual([])
})
