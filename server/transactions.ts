import { addAccount, resetAdministrator } from './access/accounts.ts'
import { changeAccount } from './access/administration.ts'
import { acceptInvitation, addInvitation, joinByInvitation, withdrawInvitation } from './access/invitations.ts'
import { rememberUses } from './access/last-uses.ts'
import { dropExpiredLinks, strikeMail } from './access/link-mail.ts'
import { addOrganisation, changeOrganisation, removeMember } from './access/organisations.ts'
import { changePassword, changeSettings } from './access/own-account.ts'
import { free, rename } from './access/owner-names.ts'
import { addForgottenReset, addPasswordReset, askForReset, resetPassword } from './access/password-resets.ts'
import { removeOwnerRow } from './access/removal.ts'
import {
  beginEnrolment,
  confirmEnrolment,
  removeOwnSecondFactor,
  removeSecondFactorOf,
  replaceRecoveryCodes,
  useCode,
} from './access/second-factor.ts'
import { forgetSecrets, rememberSecretKey } from './access/secret-key.ts'
import { dropEndedSessions, endOwnSessions, endSessionsOf, signOut, startSession } from './access/sessions.ts'
import { addTeam, addTeamMember, changeTeam, removeTeam, removeTeamMember } from './access/teams.ts'
import { addToken, removeOwnToken, removeToken } from './access/tokens.ts'
import type { AnyTransaction } from './catalogue/transaction.ts'
import { claim, ensure, finish, giveUp, mendTimes, postpone, release } from './jobs/runner.ts'
import { storeDigests } from './registry/digests.ts'
import { dropJob, reviveJob } from './registry/jobs.ts'
import { expireLeases, giveUpLease, renew, takeLease } from './registry/leases.ts'
import { addFile, findUpload } from './registry/publish.ts'
import { forgetSome, purgeSome } from './registry/purge.ts'
import { removeFileRow, removeVersionRows } from './registry/remove.ts'
import { rememberStorage } from './registry/storage-id.ts'
import { doomUnnamed, dropLease, strikeDoomed } from './registry/sweep.ts'

/** Every transaction of the product, so that the database's thread knows them by name. */
export const transactions: readonly AnyTransaction[] = [
  acceptInvitation,
  addAccount,
  addFile,
  addForgottenReset,
  addInvitation,
  addOrganisation,
  addPasswordReset,
  addTeam,
  addTeamMember,
  addToken,
  askForReset,
  beginEnrolment,
  changeAccount,
  changePassword,
  changeSettings,
  changeOrganisation,
  changeTeam,
  claim,
  confirmEnrolment,
  doomUnnamed,
  dropEndedSessions,
  dropExpiredLinks,
  dropJob,
  dropLease,
  expireLeases,
  giveUpLease,
  endOwnSessions,
  endSessionsOf,
  ensure,
  findUpload,
  finish,
  forgetSecrets,
  forgetSome,
  free,
  giveUp,
  joinByInvitation,
  mendTimes,
  postpone,
  purgeSome,
  release,
  rememberSecretKey,
  rememberStorage,
  rememberUses,
  removeFileRow,
  removeMember,
  removeOwnerRow,
  removeOwnSecondFactor,
  removeOwnToken,
  removeSecondFactorOf,
  removeTeam,
  removeTeamMember,
  removeToken,
  removeVersionRows,
  rename,
  renew,
  replaceRecoveryCodes,
  resetAdministrator,
  resetPassword,
  reviveJob,
  signOut,
  startSession,
  storeDigests,
  strikeDoomed,
  strikeMail,
  takeLease,
  useCode,
  withdrawInvitation,
]
