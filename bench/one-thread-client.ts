// What a publish costs at least where nothing is shared: one thread, a file and a row for each, both on stable storage.
import { Database } from 'bun:sqlite'
import { randomFillSync } from 'node:crypto'
import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { doJob } from './clients.ts'

export interface OneThreadJob {
  /** New and empty. */
  readonly folder: string
  readonly size: number
  readonly seconds: number
}

export interface OneThreadResult {
  readonly publishes: number
  readonly seconds: number
  readonly cpu: number
}

await doJob<OneThreadJob>(async ({ folder, size, seconds }): Promise<OneThreadResult> => {
  mkdirSync(folder)
  const database = new Database(join(folder, 'files.db'))
  database.run('pragma journal_mode = wal')
  database.run('pragma synchronous = full')
  database.run('create table files (id integer primary key, name text not null unique, size integer not null)')
  const insert = database.prepare('insert into files (name, size) values (?, ?)')
  const content = randomFillSync(new Uint8Array(size))

  const cpuBefore = process.cpuUsage()
  const begin = performance.now()
  let publishes = 0
  while (performance.now() < begin + seconds * 1000) {
    publishes += 1
    const name = publishes.toString(36)
    randomFillSync(content, 0, 16)
    const file = openSync(join(folder, name), 'wx')
    writeSync(file, content)
    fdatasyncSync(file)
    closeSync(file)
    insert.run(name, size)
  }
  const ended = performance.now()
  const { user, system } = process.cpuUsage(cpuBefore)
  database.close()
  return { publishes, seconds: (ended - begin) / 1000, cpu: (user + system) / publishes }
})
