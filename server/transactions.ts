import { addAccount, resetAdministrator } from './access/accounts.ts'
import { addToken, removeToken } from './access/tokens.ts'
import type { AnyTransaction } from './catalogue/transaction.ts'
import { claim, ensure, finish, giveUp, mendTimes, postpone, release } from './jobs/runner.ts'
import { storeDigests } from './registry/digests.ts'
import { dropJob, reviveJob } from './registry/jobs.ts'
import { expireLeases, giveUpLease, renew, takeLease } from './registry/leases.ts'
import { addFile, findUpload } from './registry/publish.ts'
import { removeFileRow, removeVersionRows } from './registry/remove.ts'
import { rememberStorage } from './registry/storage-id.ts'
import { doomUnnamed, dropLease, strikeDoomed } from './registry/sweep.ts'

/** Every transaction of the product, so that the database's thread knows them by name. */
export const transactions: readonly AnyTransaction[] = [
  addAccount,
  addFile,
  addToken,
  claim,
  doomUnnamed,
  dropJob,
  dropLease,
  expireLeases,
  giveUpLease,
  ensure,
  findUpload,
  finish,
  giveUp,
  mendTimes,
  postpone,
  release,
  rememberStorage,
  removeFileRow,
  removeToken,
  removeVersionRows,
  renew,
  resetAdministrator,
  reviveJob,
  storeDigests,
  strikeDoomed,
  takeLease,
]
