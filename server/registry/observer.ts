import { Problem, type ProblemCode } from '../problems.ts'
import type { Swept } from './sweep.ts'

/** How something ended: the code of its problem, where it had one. */
export type Outcome = 'unforeseen' | ProblemCode

/** Who is told what the registry does, to count it. Never throws, and nobody waits for it. */
export interface Observer {
  /** An upload begins; it must be told the end of it. */
  upload(): UploadWatch
  /** Bytes of a file that begin to be sent. */
  sending(bytes: number): void
  /** Bytes that the catalogue names are not there, or not all. */
  bytesMissing(): void
  /** What a sweep removed, also one that failed then. */
  swept(swept: Swept): void
  jobFailed(kind: string, isLast: boolean): void
  taskFailed(task: string): void
}

export interface UploadWatch {
  /** Bytes of the file that have arrived. */
  received(bytes: number): void
  ended(outcome: 'published' | Outcome): void
}

export function outcomeOf(error: unknown): Outcome {
  return error instanceof Problem ? error.code : 'unforeseen'
}

/** For whoever counts nothing. */
export const nobody: Observer = {
  upload: () => noWatch,
  sending() {},
  bytesMissing() {},
  swept() {},
  jobFailed() {},
  taskFailed() {},
}

const noWatch: UploadWatch = { received() {}, ended() {} }
