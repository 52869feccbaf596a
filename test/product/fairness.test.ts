import { expect, test } from 'bun:test'
import { type Client, startStowage } from '../support/stowage.ts'
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
