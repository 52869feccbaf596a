/**
 * Stands between the code and every statement, begin and commit included: for tests, which count statements, make one
 * fail, or hold it until another transaction has got to where they meet. Calls `run` with the text that shall run.
 */
export type AroundStatement = (sql: string, run: (sql: string) => unknown, place: 'reading' | 'transaction') => unknown

export const straight: AroundStatement = (sql, run) => run(sql)

/** Told of each read outside a transaction that fails, as its caller sees it. */
export type ReadFailed = (error: unknown) => void
