import type { Tx } from './schema.ts'

/** What may be shown once. */
export interface UsedOnce {
  /** What it is of: the `jti` of a token, a challenge. */
  kind: string
  sha256: string
  /** Until when nobody would take it anyhow. */
  expiresAt: number
}

/** Notes that it was used; false where it had been before. Of two that come at once, one gets it. */
export async function useOnce(tx: Tx, { kind, sha256, expiresAt }: UsedOnce): Promise<boolean> {
  const added = await tx
    .insertInto('used_once')
    .values({ kind, sha256, expires_at: expiresAt })
    .onConflict((conflict) => conflict.columns(['kind', 'sha256']).doNothing())
    .returning('kind')
    .executeTakeFirst()
  return added !== undefined
}

/** Forgets some of what has expired before that time; how many that were. */
export async function forgetUsed(tx: Tx, before: number, limit: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('used_once')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('kind', 'sha256'),
        'in',
        selectFrom('used_once')
          .select(['kind', 'sha256'])
          .where('expires_at', '<', before)
          .orderBy('expires_at')
          .limit(limit)
          .$asTuple('kind', 'sha256'),
      ),
    )
    .executeTakeFirst()
  return Number(numDeletedRows)
}
