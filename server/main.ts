import { start } from './start.ts'

try {
  await start()
} catch (error) {
  const { endWithReason } = await import('./end-with-reason.ts')
  endWithReason(error)
}
