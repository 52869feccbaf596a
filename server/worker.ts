// One of several processes of a server; `workers.ts` starts it, and `worker-place.ts` tells with what.
import { startSqliteThread } from './catalogue/sqlite-thread.ts'

const thread = process.env.STOWAGE_DATABASE_URL
  ? undefined
  : startSqliteThread(new URL('./sqlite-worker.ts', import.meta.url).href)
const [{ serveOrEnd }, { placeOfThisWorker }] = await Promise.all([import('./serve.ts'), import('./worker-place.ts')])
await serveOrEnd({ thread, worker: placeOfThisWorker() })
