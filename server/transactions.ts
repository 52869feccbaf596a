import { addAccount, resetAdministrator } from './access/accounts.ts'
import { changeAccount } from './access/administration.ts'
import { dropOldEvents } from './access/audit-log.ts'
import { addDeployToken, removeDeployToken, removeOwnDeployToken } from './access/deploy-tokens.ts'
import { acceptInvitation, addInvitation, joinByInvitation, withdrawInvitation } from './access/invitations.ts'
import { rememberUses } from './access/last-uses.ts'
import { dropExpiredLinks, strikeMail } from './access/link-mail.ts'
import {
  claimCheck,
  keepRefreshToken,
  lapseIdentity,
  liftSuspension,
  linkIdentity,
  noteVouched,
  registerIdentity,
  unlinkIdentity,
  useState,
  vouchForIdentity,
} from './access/oidc/transactions.ts'
import { addOrganisation, changeOrganisation, removeMember } from './access/organisations.ts'
import { changePassword, changeSettings } from './access/own-account.ts'
import { free, rename } from './access/owner-names.ts'
import { changePackageVisibility, nameHolder, unnameHolder } from './access/package-access.ts'
import { addPasskey, removeOwnPasskey, removePasskeysOf, renamePasskey, usePasskey } from './access/passkeys.ts'
import { addForgottenReset, addPasswordReset, askForReset, resetPassword } from './access/password-resets.ts'
import { addPublisher, changePublisher, removePublisher } from './access/publishers.ts'
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
import { writeSignIns } from './access/sign-ins.ts'
import { addTeam, addTeamMember, changeTeam, removeTeam, removeTeamMember } from './access/teams.ts'
import { exchangeIdToken, forgetExchanges } from './access/token-exchange.ts'
import { addToken, removeOwnToken, removeToken } from './access/tokens.ts'
import type { AnyTransaction } from './catalogue/transaction.ts'
import { claim, ensure, finish, giveUp, mendTimes, postpone, release } from './jobs/runner.ts'
import {
  askForDeliveries,
  dropOldDeliveries,
  dropSurplusDeliveries,
  finishDeliveries,
  keepRequestBody,
  letOthersDeliver,
  recordAttempt,
} from './registry/deliveries.ts'
import { storeDigests } from './registry/digests.ts'
import { rememberDownloads } from './registry/downloads.ts'
import { dropJob, reviveJob } from './registry/jobs.ts'
import { recordSweep } from './registry/last-sweep.ts'
import { expireLeases, giveUpLease, renew, takeLease } from './registry/leases.ts'
import { changeTexts } from './registry/package-text.ts'
import { addFile, findUpload } from './registry/publish.ts'
import { dropEmptyPackages, forgetSome, purgeSome, removeVersionsSome } from './registry/purge.ts'
import { changeOwnQuota, changeSiteQuotas } from './registry/quotas.ts'
import { askForRecount, recountSome, rememberRecount } from './registry/recount.ts'
import { removeFileRow, removeVersionRows } from './registry/remove.ts'
import { giveBack, reserve } from './registry/reservations.ts'
import { askForSweep } from './registry/storage.ts'
import { rememberStorage } from './registry/storage-id.ts'
import { doomUnnamed, dropLease, strikeDoomed } from './registry/sweep.ts'
import { addWebhook, changeWebhook, quietWebhook, removeWebhook, replayDelivery } from './registry/webhooks.ts'

/** Every transaction of the product, so that the database's thread knows them by name. */
export const transactions: readonly AnyTransaction[] = [
  acceptInvitation,
  addAccount,
  addDeployToken,
  addFile,
  addForgottenReset,
  addInvitation,
  addOrganisation,
  addPasskey,
  addPasswordReset,
  addPublisher,
  addTeam,
  addTeamMember,
  addToken,
  addWebhook,
  askForRecount,
  askForDeliveries,
  askForReset,
  askForSweep,
  beginEnrolment,
  changeAccount,
  changePassword,
  changeSettings,
  changeOrganisation,
  changeOwnQuota,
  changePackageVisibility,
  changePublisher,
  changeSiteQuotas,
  changeTeam,
  changeTexts,
  changeWebhook,
  claim,
  confirmEnrolment,
  doomUnnamed,
  dropEmptyPackages,
  dropEndedSessions,
  dropExpiredLinks,
  dropJob,
  dropLease,
  dropOldDeliveries,
  dropSurplusDeliveries,
  dropOldEvents,
  exchangeIdToken,
  expireLeases,
  giveUpLease,
  endOwnSessions,
  endSessionsOf,
  ensure,
  findUpload,
  finish,
  finishDeliveries,
  forgetExchanges,
  forgetSecrets,
  forgetSome,
  free,
  giveBack,
  giveUp,
  joinByInvitation,
  claimCheck,
  keepRefreshToken,
  lapseIdentity,
  liftSuspension,
  linkIdentity,
  noteVouched,
  registerIdentity,
  unlinkIdentity,
  useState,
  vouchForIdentity,
  keepRequestBody,
  letOthersDeliver,
  nameHolder,
  mendTimes,
  postpone,
  purgeSome,
  recordSweep,
  recountSome,
  quietWebhook,
  recordAttempt,
  release,
  rememberDownloads,
  rememberRecount,
  rememberSecretKey,
  rememberStorage,
  rememberUses,
  removeDeployToken,
  removeFileRow,
  removeMember,
  removeOwnerRow,
  removeOwnDeployToken,
  removeOwnPasskey,
  removeOwnSecondFactor,
  removeOwnToken,
  removePasskeysOf,
  removePublisher,
  removeSecondFactorOf,
  removeTeam,
  removeTeamMember,
  removeToken,
  removeVersionRows,
  removeWebhook,
  removeVersionsSome,
  rename,
  renamePasskey,
  renew,
  reserve,
  replaceRecoveryCodes,
  replayDelivery,
  resetAdministrator,
  resetPassword,
  reviveJob,
  signOut,
  startSession,
  storeDigests,
  strikeDoomed,
  strikeMail,
  takeLease,
  unnameHolder,
  useCode,
  usePasskey,
  withdrawInvitation,
  writeSignIns,
]
