// What the threads of a server load is most of a start: the database's begins before this one has anything else.
import { startSqliteThread } from './catalogue/sqlite-thread.ts'

if (Number(process.env.STOWAGE_WORKERS) > 1) {
  const { superviseOrEnd } = await import('./workers.ts')
  await superviseOrEnd()
} else {
  const thread = process.env.STOWAGE_DATABASE_URL
    ? undefined
    : startSqliteThread(new URL('./sqlite-worker.ts', import.meta.url).href)
  const { serveOrEnd } = await import('./serve.ts')
  await serveOrEnd({ thread })
}
