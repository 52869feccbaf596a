/** A page to be looked at: what it is called, where it is, and who looks. */
export interface Picture {
  name: string
  /** A path, or how to get to what has no address of its own. */
  path: string
  by: 'nobody' | 'ada' | 'admin'
}

const anchor = '/acme/-/packages/generic/anchor'

/** Every page that has an address. A new one gets a line here. */
export const pictures: readonly Picture[] = [
  { name: 'home', path: '/', by: 'nobody' },
  { name: 'home-signed-in', path: '/', by: 'ada' },
  { name: 'search', path: '/-/search?q=an', by: 'nobody' },
  { name: 'search-empty', path: '/-/search?q=nothing-like-this', by: 'nobody' },
  { name: 'owner', path: '/acme', by: 'ada' },
  { name: 'owner-empty', path: '/joan', by: 'nobody' },
  { name: 'package', path: anchor, by: 'ada' },
  { name: 'package-stranger', path: anchor, by: 'nobody' },
  { name: 'package-versions', path: `${anchor}/versions`, by: 'nobody' },
  { name: 'version', path: `${anchor}/1.5.0`, by: 'nobody' },
  { name: 'version-odd-names', path: '/ada/-/packages/generic/notes/2026-11', by: 'nobody' },
  { name: 'package-edit', path: `${anchor}/-/edit`, by: 'ada' },
  { name: 'package-delete', path: `${anchor}/-/delete`, by: 'ada' },
  { name: 'version-delete', path: `${anchor}/-/version/1.5.0/delete`, by: 'ada' },
  { name: 'package-audit', path: `${anchor}/-/audit`, by: 'ada' },
  { name: 'upload', path: '/acme/-/upload', by: 'ada' },
  { name: 'owner-settings', path: '/acme/-/settings', by: 'ada' },
  { name: 'owner-usage', path: '/acme/-/usage', by: 'ada' },
  { name: 'owner-audit', path: '/acme/-/audit', by: 'ada' },
  { name: 'webhooks', path: '/acme/-/webhooks', by: 'ada' },
  { name: 'webhook-new', path: '/acme/-/webhooks/new', by: 'ada' },
  { name: 'webhook', path: '/acme/-/webhooks/1', by: 'ada' },
  { name: 'members', path: '/acme/-/members', by: 'ada' },
  { name: 'teams', path: '/acme/-/teams', by: 'ada' },
  { name: 'team-new', path: '/acme/-/teams/new', by: 'ada' },
  { name: 'invitations', path: '/acme/-/invitations', by: 'ada' },
  { name: 'organisations', path: '/user/organisations', by: 'ada' },
  { name: 'organisation-new', path: '/org/create', by: 'ada' },
  { name: 'sign-in', path: '/user/login', by: 'nobody' },
  { name: 'invitation', path: '/user/invitation', by: 'nobody' },
  { name: 'password-reset', path: '/user/password-reset', by: 'nobody' },
  { name: 'forgot-password', path: '/user/forgot-password', by: 'nobody' },
  { name: 'account', path: '/user/settings', by: 'ada' },
  { name: 'account-password', path: '/user/settings/password', by: 'ada' },
  { name: 'account-two-factor', path: '/user/settings/two-factor', by: 'ada' },
  { name: 'account-tokens', path: '/user/settings/tokens', by: 'ada' },
  { name: 'account-sessions', path: '/user/settings/sessions', by: 'ada' },
  { name: 'account-audit', path: '/user/settings/audit', by: 'ada' },
  { name: 'admin', path: '/-/admin', by: 'admin' },
  { name: 'admin-users', path: '/-/admin/users', by: 'admin' },
  { name: 'admin-user-new', path: '/-/admin/users/new', by: 'admin' },
  { name: 'admin-user', path: '/-/admin/users/grace', by: 'admin' },
  { name: 'admin-quotas', path: '/-/admin/quotas', by: 'admin' },
  { name: 'admin-storage', path: '/-/admin/storage', by: 'admin' },
  { name: 'admin-jobs', path: '/-/admin/jobs', by: 'admin' },
  { name: 'admin-settings', path: '/-/admin/settings', by: 'admin' },
  { name: 'admin-names', path: '/-/admin/names', by: 'admin' },
  { name: 'admin-audit', path: '/-/admin/audit', by: 'admin' },
  { name: 'admin-webhooks', path: '/-/admin/webhooks', by: 'admin' },
  { name: 'not-found', path: '/nobody/-/packages/generic/nothing', by: 'nobody' },
  { name: 'forbidden', path: '/-/admin', by: 'ada' },
]
