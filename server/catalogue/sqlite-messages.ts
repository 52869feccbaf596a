import type { PlainProblem } from '../problems.ts'

/** What the main thread asks of the database's thread. */
export type ToWorker =
  | { id: number; kind: 'open'; file: string }
  | { id: number; kind: 'transact'; name: string; args: unknown }
  | { id: number; kind: 'close' }

/** What comes back, once for each. */
export type ToMain =
  | { id: number; kind: 'result'; result: unknown }
  | { id: number; kind: 'problem'; problem: PlainProblem }
  | { id: number; kind: 'error'; message: string; stack: string | undefined }
