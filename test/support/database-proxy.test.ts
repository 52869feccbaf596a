import { expect, test } from 'bun:test'
import { Client, type ClientConfig } from 'pg'
import { type DatabaseProxy, startDatabaseProxy } from './database-proxy.ts'
import { sharedPostgres } from './postgres.ts'
import { until } from './until.ts'

const cutOff = 'Connection terminated unexpectedly'

test('a commit that is cut before it arrives is rolled back', async () => {
  await using shop = await openShop()
  const { client } = await shop.sell('apple')
  const cut = shop.proxy.atNextCommit('cut before')
  await expect(client.query('commit')).rejects.toThrow(cutOff)
  await cut
  expect(shop.proxy.openConnections).toBe(0)
  expect(await shop.sold()).toEqual([])
})

test('a commit that is cut before its answer is done', async () => {
  await using shop = await openShop()
  const { client } = await shop.sell('apple')
  const cut = shop.proxy.atNextCommit('cut after')
  await expect(client.query(' COMMIT; ')).rejects.toThrow(cutOff)
  await cut
  expect(await shop.sold()).toEqual(['apple'])
})

test('a commit whose answer is held is done, and its client waits', async () => {
  await using shop = await openShop()
  const { client } = await shop.sell('apple')
  const held = shop.proxy.atNextCommit('hold after')
  const answer = client.query('commit')
  await held
  expect(await shop.sold()).toEqual(['apple'])
  expect(Bun.peek.status(answer)).toBe('pending')
  shop.proxy.cutAll()
  await expect(answer).rejects.toThrow(cutOff)
})

test('a commit whose client is cut goes on, and is done some time later', async () => {
  await using shop = await openShop()
  const inspector = await shop.connect()
  await inspector.query('select pg_advisory_lock(1)')
  const { client } = await shop.sell('apple')
  const cut = shop.proxy.atNextCommit('cut while running')
  await expect(client.query('commit')).rejects.toThrow(cutOff)
  await cut
  expect(await shop.sold()).toEqual([])
  expect(shop.proxy.openConnections).toBe(1)
  await inspector.query('select pg_advisory_unlock(1)')
  await until(() => shop.proxy.openConnections === 0, 'the server is done')
  expect(await shop.sold()).toEqual(['apple'])
})

test('prepared statements can commit too, and only the next one is cut', async () => {
  await using shop = await openShop()
  const first = await shop.sell('apple')
  const cut = shop.proxy.atNextCommit('cut after')
  await expect(first.client.query({ name: 'done', text: 'commit' })).rejects.toThrow(cutOff)
  await cut
  const second = await shop.sell('pear')
  await second.client.query({ name: 'done', text: 'commit' })
  expect(await shop.sold()).toEqual(['apple', 'pear'])
})

test('a cut between two statements, and a door that is closed for a while', async () => {
  await using shop = await openShop()
  const { client, lost } = await shop.sell('apple')
  shop.proxy.cutAll()
  shop.proxy.refuse()
  expect(await lost).toBe(cutOff)
  await expect(client.query('commit')).rejects.toThrow('not queryable')
  await expect(shop.sell('pear')).rejects.toThrow('ECONNREFUSED')
  await shop.proxy.accept()
  await (await shop.sell('plum')).client.query('commit')
  expect(await shop.sold()).toEqual(['plum'])
})

test('a stalled proxy says nothing and loses nothing', async () => {
  await using shop = await openShop()
  const { client } = await shop.sell('apple')
  shop.proxy.stall()
  const impatient = { text: 'commit', query_timeout: 50 }
  await expect(client.query(impatient)).rejects.toThrow('Query read timeout')
  expect(await shop.sold()).toEqual([])
  expect(shop.proxy.openConnections).toBe(1)
  shop.proxy.resume()
  expect((await client.query('select 1 as number')).rows).toEqual([{ number: 1 }])
  expect(await shop.sold()).toEqual(['apple'])
})

test('what is big arrives in one piece', async () => {
  await using shop = await openShop()
  const client = await shop.connect(shop.proxy.url(shop.url))
  const text = 'commit'.repeat(500_000)
  const { rows } = await client.query('select $1::text as text from generate_series(1, 3)', [text])
  expect(rows.map((row) => row.text === text)).toEqual([true, true, true])
})

test('the server itself answers whoever asks for TLS', async () => {
  await using shop = await openShop()
  await expect(shop.connect(shop.proxy.url(shop.url), { ssl: true })).rejects.toThrow(
    'The server does not support SSL connections',
  )
})

/** A database that is told of sales, and a proxy on the way there. */
class Shop implements AsyncDisposable {
  readonly proxy: DatabaseProxy
  readonly url: string
  readonly #clients: Client[] = []

  constructor(proxy: DatabaseProxy, url: string) {
    this.proxy = proxy
    this.url = url
  }

  /** Somebody by way of the proxy who has only to commit; and what he hears when his connection is lost. */
  async sell(what: string): Promise<{ client: Client; lost: Promise<string> }> {
    const client = await this.connect(this.proxy.url(this.url))
    const lost = new Promise<string>((resolve) => client.once('error', ({ message }) => resolve(message)))
    await client.query('begin')
    await client.query('insert into sales values ($1)', [what])
    return { client, lost }
  }

  async sold(): Promise<string[]> {
    const client = await this.connect(this.url)
    const { rows } = await client.query<{ what: string }>('select what from sales order by what')
    return rows.map(({ what }) => what)
  }

  async connect(url = this.url, options: ClientConfig = {}): Promise<Client> {
    const client = new Client({ connectionString: url, ...options })
    client.on('error', () => {})
    this.#clients.push(await client.connect())
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]()
    await Promise.all(this.#clients.map((client) => client.end()))
    await (await sharedPostgres()).dropDatabase(this.url)
  }
}

async function openShop(): Promise<Shop> {
  const server = await sharedPostgres()
  const shop = new Shop(
    await startDatabaseProxy({ host: '127.0.0.1', port: server.port }),
    await server.createDatabase(),
  )
  await (await shop.connect()).query(`
    create table sales (what text);
    create function wait_for_inspector() returns trigger language plpgsql as
      'begin perform pg_advisory_xact_lock(1); return null; end';
    create constraint trigger inspection after insert on sales deferrable initially deferred
      for each row execute function wait_for_inspector()`)
  return shop
}
