/*
 * What a page says once about the change that led to it. The browser carries the word between two requests, and nobody else's text
 * can come along: a word that is not here is nothing.
 */
const notices = {
  'signed-out': 'You have signed out.',
  'account-made': 'Welcome. Your account is made, and you are signed in.',
  'invitation-accepted': 'You have joined the team.',
  'password-set': 'Your new password is set. Sign in with it.',
  'password-changed': 'Your new password is set. All other browsers are signed out.',
  'reset-asked': 'If an account has this address, a mail with a link is on its way.',
  'profile-changed': 'Your profile is changed.',
  'email-changed': 'Your e-mail address is changed.',
  'identity-linked': 'The identity is linked: it is enough to come in from now on.',
  'identity-unlinked': 'The identity is unlinked.',
  'user-reinstated': 'The account is not suspended any more.',
  'user-identity-unlinked': 'The identity is unlinked.',
  'second-factor-off': 'Two-factor sign-in is off. Your other sessions have ended.',
  'passkey-added': 'The passkey is added. You can sign in with it from now on.',
  'passkey-renamed': 'The passkey is renamed.',
  'passkey-removed': 'The passkey is removed. Your other sessions have ended.',
  'token-deleted': 'The token is deleted. Whatever used it is refused from now on.',
  'deploy-token-deleted': 'The deploy token is deleted. Whatever used it is refused from now on.',
  'session-ended': 'The session has ended.',
  'other-sessions-ended': 'All your other sessions have ended.',
  'organisation-made': 'The organisation is made. You are its first owner.',
  'member-removed': 'Taken out of the organisation.',
  'organisation-left': 'You have left the organisation.',
  'team-made': 'The team is made.',
  'team-changed': 'The team is changed.',
  'team-deleted': 'The team is deleted.',
  'team-member-added': 'Added to the team.',
  'team-left': 'You have left the team.',
  'team-member-removed': 'Taken out of the team.',
  'invitation-withdrawn': 'The invitation is withdrawn: its link leads nowhere any more.',
  'webhook-made': 'The webhook is made.',
  'webhook-changed': 'The webhook is changed.',
  'webhook-deleted': 'The webhook is deleted, with its deliveries.',
  'publisher-made': 'These jobs may publish from now on.',
  'publisher-changed': 'The trusted publisher is changed. Tokens that jobs held by it have ended.',
  'publisher-deleted': 'The trusted publisher is deleted. Its jobs publish nothing any more.',
  'delivery-replayed': 'The same is sent once more. This is the new delivery.',
  published: 'The file is published.',
  'package-changed': 'The package is changed.',
  'package-visibility-changed': 'Who sees the package is changed.',
  'package-access-given': 'The right on the package is given.',
  'package-access-taken': 'The right on the package is taken away. Uploads that ran by it are refused.',
  'file-deleted': 'The file is deleted.',
  'version-deleted': 'The version is deleted.',
  'versions-deleted': 'The versions are deleted.',
  'package-deleted': 'The package is deleted.',
  'organisation-changed': 'The organisation is changed.',
  'visibility-changed': 'The visibility is changed.',
  'visibility-stays': 'Nothing is changed: that is the visibility already.',
  'owner-renamed': 'Renamed. The old name leads here from now on.',
  'owner-deleted': 'Deleted.',
  'user-added': 'The user is added.',
  'user-changed': 'The user is changed.',
  'user-renamed': 'The user is renamed. The old name leads here, and nobody else gets it.',
  'user-deleted': 'The user is deleted.',
  'user-password-set': 'The new password is set. Whoever had signed in with the old one is signed out.',
  'user-second-factor-off': 'The second factor is turned off. The user must sign in again.',
  'user-passkeys-removed': 'The passkeys are removed. The user must sign in again.',
  'user-sessions-ended': 'All browsers of this user must sign in again.',
  'quotas-changed': 'The quotas are changed. Uploads that are under way are judged by them at their next step.',
  'quota-removed': 'This owner has what all owners have.',
  'recount-asked': 'Everything is being counted. Look again in a moment.',
  'sweep-asked': 'A sweep is asked for. It begins in a moment, and its result stands below.',
  'job-retried': 'The job is due now.',
  'job-deleted': 'The job is forgotten.',
  'name-freed': 'The name is free: anybody may take it, and it leads nowhere any more.',
} as const

export type Notice = keyof typeof notices

export function isNotice(word: string | undefined): word is Notice {
  return word !== undefined && Object.hasOwn(notices, word)
}

export function textOf(notice: Notice): string {
  return notices[notice]
}
