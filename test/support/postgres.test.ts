import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { Client, type QueryConfig } from 'pg'
import { sharedPostgres, startPostgres } from './postgres.ts'
import { until } from './until.ts'

test('two copies of a template, asked for at once, are two databases', async () => {
  const server = await sharedPostgres()
  const template = await server.createDatabase()
  await ask(template, "create table packages (name text); insert into packages values ('tool')")
  const [one, other] = await Promise.all([server.createDatabase(template), server.createDatabase(template)])
  await ask(one, "update packages set name = 'changed'")
  expect(await ask(one, 'select name from packages')).toEqual([{ name: 'changed' }])
  expect(await ask(other, 'select name from packages')).toEqual([{ name: 'tool' }])
})

test('a dropped database is gone, whoever was connected to it', async () => {
  const server = await sharedPostgres()
  const url = await server.createDatabase()
  await using visitor = await Visitor.of(url)
  await server.dropDatabase(url)
  await until(() => visitor.lastWord !== undefined, 'the visitor is sent away')
  await expect(Visitor.of(url)).rejects.toThrow(/database "\w+" does not exist/)
})

test('text is not sorted by its bytes', async () => {
  const server = await sharedPostgres()
  // Until then it knows no other order than the machine does, which may have none.
  if (Number.parseInt(server.version, 10) < 15) return
  const rows = await ask(server.url(), "select name from (values ('b'), ('B'), ('a'), ('A')) as v (name) order by name")
  expect(rows.map(({ name }) => String(name).toLowerCase())).toEqual(['a', 'a', 'b', 'b'])
})

test('what was confirmed outlives a kill, of which a busy client hears nothing', async () => {
  await using server = await startPostgres()
  const url = await server.createDatabase()
  await using visitor = await Visitor.of(url)
  await visitor.ask("create table packages (name text); insert into packages values ('tool')")
  const heard = visitor.ask('do $$ begin for i in 1..1000000000 loop end loop; end $$').catch(String)
  const busy = "select pid from pg_stat_activity where state = 'active' and query like 'do %'"
  await until(async () => (await ask(url, busy)).length === 1, 'the visitor keeps the server busy')
  await server.restart('kill')
  expect(await heard).toBe('Error: Connection terminated unexpectedly')
  expect(await ask(url, 'select name from packages')).toEqual([{ name: 'tool' }])
})

test('a paused server answers what it was asked once it is resumed', async () => {
  await using server = await startPostgres()
  await using visitor = await Visitor.of(server.url())
  await server.pause()
  await expect(visitor.ask({ text: 'select 1', query_timeout: 50 })).rejects.toThrow('Query read timeout')
  server.resume()
  expect(await visitor.ask('select 2 as number')).toEqual([{ number: 2 }])
})

test('a server that does not start says why', async () => {
  const refusal = 'invalid value for parameter "max_connections": "plenty"'
  await expect(startPostgres({ settings: { max_connections: 'plenty' } })).rejects.toThrow(refusal)
})

test('nothing is left of a server, even a paused one, when the process that started it is killed', async () => {
  const { child, url, folder } = await startInAnotherProcess()
  expect(existsSync(folder)).toBe(true)
  // With all that shares its terminal, which is what Ctrl-C reaches.
  process.kill(-child.pid, 'SIGKILL')
  await until(() => !existsSync(folder), 'its folder is gone')
  await expect(Visitor.of(url)).rejects.toThrow('ECONNREFUSED')
})

/** A connection that stays open. */
class Visitor implements AsyncDisposable {
  /** Why it was closed, by somebody else. */
  lastWord: string | undefined
  readonly #client: Client

  private constructor(client: Client) {
    this.#client = client
    client.on('error', ({ message }) => {
      this.lastWord = message
    })
  }

  static async of(url: string): Promise<Visitor> {
    return new Visitor(await new Client({ connectionString: url }).connect())
  }

  async ask(question: string | (QueryConfig & { query_timeout: number })): Promise<Record<string, unknown>[]> {
    return (await this.#client.query(question)).rows
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end()
  }
}

async function ask(url: string, question: string): Promise<Record<string, unknown>[]> {
  await using visitor = await Visitor.of(url)
  return await visitor.ask(question)
}

async function startInAnotherProcess() {
  const program = `
    import { startPostgres } from '${import.meta.dir}/postgres.ts'
    const server = await startPostgres()
    const client = await new (await import('pg')).Client({ connectionString: server.url() }).connect()
    const { rows } = await client.query('show data_directory')
    await server.pause()
    console.log(JSON.stringify({ url: server.url(), folder: rows[0].data_directory }))
    await new Promise(() => {})`
  const child = Bun.spawn([process.execPath, '-e', program], { cwd: import.meta.dir, detached: true, stdout: 'pipe' })
  for await (const line of child.stdout) {
    return { child, ...(JSON.parse(Buffer.from(line).toString()) as { url: string; folder: string }) }
  }
  throw new Error('it ended before it had a server')
}
