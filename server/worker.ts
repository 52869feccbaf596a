// One of several processes of a server; `workers.ts` starts it, and `worker-place.ts` tells with what.
import { databaseThread } from './start.ts'

const thread = databaseThread()
try {
  const [{ serve }, { placeOfThisWorker }] = await Promise.all([import('./serve.ts'), import('./worker-place.ts')])
  await serve({ thread, worker: placeOfThisWorker() })
} catch (error) {
  const { endWithReason } = await import('./end-with-reason.ts')
  endWithReason(error)
}
