import type { Page } from 'playwright-core'
import type { Window } from '../support/chromium.ts'
import { adminPassword } from '../support/stowage.ts'
import type { Site } from './site.ts'

/** A page to be looked at: what it is called, where it is, and who looks. */
export interface Picture {
  name: string
  path: string
  /** Grace has a second factor. */
  by: 'nobody' | 'ada' | 'grace' | 'admin'
  /** Of the page at the path; 200 unless it says otherwise. */
  status?: number
  /** What is done there first, where it leads to what has no address of its own. */
  steps?: (page: Page, site: Site) => Promise<unknown>
}

const anchor = '/acme/-/packages/generic/anchor'

const press = (page: Page, name: string | RegExp) => page.getByRole('main').getByRole('button', { name }).click()
const type = (page: Page, label: string, text: string) => page.getByLabel(label, { exact: true }).fill(text)
const says = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor()

const choose = (page: Page, files: Record<string, string>) =>
  page.locator('[aria-label="Files"]').setInputFiles(
    Object.entries(files).map(([name, text]) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(text),
    })),
  )

/** Two pictures of the same never make the same. */
let made = 0

/** Every page that has an address, and after them what has none. A new page gets a line here. */
export const pictures: readonly Picture[] = [
  { name: 'home', path: '/', by: 'nobody' },
  { name: 'home-signed-in', path: '/', by: 'ada' },
  { name: 'search', path: '/-/search?q=an', by: 'nobody' },
  { name: 'search-empty', path: '/-/search?q=nothing-like-this', by: 'nobody' },
  { name: 'owner', path: '/acme', by: 'ada' },
  { name: 'owner-empty', path: '/joan', by: 'nobody' },
  { name: 'owner-packages', path: '/ada/-/packages', by: 'ada' },
  { name: 'package', path: anchor, by: 'ada' },
  { name: 'package-stranger', path: anchor, by: 'nobody' },
  { name: 'package-versions', path: `${anchor}/versions`, by: 'nobody' },
  { name: 'version', path: `${anchor}/1.5.0`, by: 'nobody' },
  { name: 'version-odd-names', path: '/ada/-/packages/generic/notes/2026-11', by: 'nobody' },
  { name: 'version-longer-address', path: `${anchor}/-/version/1.0.0`, by: 'nobody' },
  { name: 'package-edit', path: `${anchor}/-/edit`, by: 'ada' },
  { name: 'package-delete', path: `${anchor}/-/delete`, by: 'ada' },
  { name: 'version-delete', path: `${anchor}/-/version/1.5.0/delete`, by: 'ada' },
  { name: 'versions-delete', path: `${anchor}/-/delete-versions`, by: 'ada' },
  { name: 'file-delete', path: `${anchor}/-/version/1.0.0/delete/1`, by: 'ada' },
  { name: 'package-audit', path: `${anchor}/-/audit`, by: 'ada' },
  { name: 'package-access', path: `${anchor}/-/access`, by: 'ada' },
  { name: 'upload', path: '/acme/-/upload', by: 'ada' },
  { name: 'owner-settings', path: '/acme/-/settings', by: 'ada' },
  { name: 'owner-delete', path: '/acme/-/settings/delete', by: 'ada' },
  { name: 'owner-rename', path: '/acme/-/settings/rename', by: 'ada' },
  { name: 'owner-usage', path: '/acme/-/usage', by: 'ada' },
  { name: 'owner-audit', path: '/acme/-/audit', by: 'ada' },
  { name: 'publishers', path: '/acme/-/publishers', by: 'ada' },
  { name: 'publisher-new', path: '/acme/-/publishers/new', by: 'ada' },
  { name: 'publisher', path: '/acme/-/publishers/1', by: 'ada' },
  { name: 'publisher-edit', path: '/acme/-/publishers/1/edit', by: 'ada' },
  { name: 'publisher-delete', path: '/acme/-/publishers/1/delete', by: 'ada' },
  { name: 'deploy-tokens', path: '/acme/-/deploy-tokens', by: 'ada' },
  { name: 'deploy-token-new', path: '/acme/-/deploy-tokens/new', by: 'ada' },
  { name: 'deploy-token-delete', path: '/acme/-/deploy-tokens/1/delete', by: 'ada' },
  { name: 'webhooks', path: '/acme/-/webhooks', by: 'ada' },
  { name: 'webhook-new', path: '/acme/-/webhooks/new', by: 'ada' },
  { name: 'webhook', path: '/acme/-/webhooks/1', by: 'ada' },
  { name: 'webhook-edit', path: '/acme/-/webhooks/1/edit', by: 'ada' },
  { name: 'webhook-delete', path: '/acme/-/webhooks/1/delete', by: 'ada' },
  { name: 'delivery', path: '/acme/-/webhooks/1/deliveries/1', by: 'ada' },
  { name: 'members', path: '/acme/-/members', by: 'ada' },
  { name: 'teams', path: '/acme/-/teams', by: 'ada' },
  { name: 'member-remove', path: '/acme/-/members/grace/remove', by: 'ada' },
  { name: 'team', path: '/acme/-/teams/2', by: 'ada' },
  { name: 'team-delete', path: '/acme/-/teams/2/delete', by: 'ada' },
  { name: 'team-member-remove', path: '/acme/-/teams/2/members/grace/remove', by: 'ada' },
  { name: 'team-new', path: '/acme/-/teams/new', by: 'ada' },
  { name: 'invitations', path: '/acme/-/invitations', by: 'ada' },
  { name: 'organisations', path: '/user/organisations', by: 'ada' },
  { name: 'organisation-new', path: '/org/create', by: 'ada' },
  { name: 'sign-in', path: '/user/login', by: 'nobody' },
  { name: 'sign-in-provider-refused', path: '/user/oidc/corp/callback', by: 'nobody', status: 400 },
  { name: 'sign-up', path: '/user/sign-up', by: 'nobody', status: 403 },
  { name: 'invitation', path: '/user/invitation', by: 'nobody' },
  { name: 'password-reset', path: '/user/password-reset', by: 'nobody' },
  { name: 'forgot-password', path: '/user/forgot-password', by: 'nobody' },
  { name: 'account', path: '/user/settings', by: 'ada' },
  { name: 'account-password', path: '/user/settings/password', by: 'ada' },
  { name: 'account-two-factor', path: '/user/settings/two-factor', by: 'ada' },
  { name: 'account-tokens', path: '/user/settings/tokens', by: 'ada' },
  { name: 'account-token-delete', path: '/user/settings/tokens/2/delete', by: 'ada' },
  { name: 'account-two-factor-on', path: '/user/settings/two-factor', by: 'grace' },
  { name: 'account-two-factor-off', path: '/user/settings/two-factor/off', by: 'grace' },
  { name: 'account-recovery-codes-renew', path: '/user/settings/two-factor/recovery-codes', by: 'grace' },
  { name: 'account-passkeys', path: '/user/settings/passkeys', by: 'grace' },
  { name: 'account-passkeys-none', path: '/user/settings/passkeys', by: 'ada' },
  { name: 'account-passkey', path: '/user/settings/passkeys/1', by: 'grace' },
  { name: 'account-identities', path: '/user/settings/identities', by: 'ada' },
  { name: 'account-identities-none', path: '/user/settings/identities', by: 'grace' },
  { name: 'account-sessions', path: '/user/settings/sessions', by: 'ada' },
  { name: 'account-audit', path: '/user/settings/audit', by: 'ada' },
  { name: 'admin', path: '/-/admin', by: 'admin' },
  { name: 'admin-users', path: '/-/admin/users', by: 'admin' },
  { name: 'admin-user-new', path: '/-/admin/users/new', by: 'admin' },
  { name: 'admin-user', path: '/-/admin/users/grace', by: 'admin' },
  { name: 'admin-user-delete', path: '/-/admin/users/grace/delete', by: 'admin' },
  { name: 'admin-invitations', path: '/-/admin/invitations', by: 'admin' },
  { name: 'admin-quotas', path: '/-/admin/quotas', by: 'admin' },
  { name: 'admin-quota', path: '/-/admin/quotas/acme', by: 'admin' },
  { name: 'admin-storage', path: '/-/admin/storage', by: 'admin' },
  { name: 'admin-jobs', path: '/-/admin/jobs', by: 'admin' },
  { name: 'admin-settings', path: '/-/admin/settings', by: 'admin' },
  { name: 'admin-names', path: '/-/admin/names', by: 'admin' },
  { name: 'admin-audit', path: '/-/admin/audit', by: 'admin' },
  { name: 'admin-webhooks', path: '/-/admin/webhooks', by: 'admin' },
  { name: 'admin-webhook', path: '/-/admin/webhooks/2', by: 'admin' },
  { name: 'admin-webhook-new', path: '/-/admin/webhooks/new', by: 'admin' },
  { name: 'admin-webhook-edit', path: '/-/admin/webhooks/2/edit', by: 'admin' },
  { name: 'admin-webhook-delete', path: '/-/admin/webhooks/2/delete', by: 'admin' },
  { name: 'admin-delivery', path: '/-/admin/webhooks/2/deliveries/2', by: 'admin' },
  { name: 'not-found', path: '/nobody/-/packages/generic/nothing', by: 'nobody', status: 404 },
  { name: 'forbidden', path: '/-/admin', by: 'ada', status: 403 },
  { name: 'forbidden-ask', path: '/acme/-/settings', by: 'grace', status: 403 },
  {
    name: 'sign-in-wrong',
    path: '/user/login',
    by: 'nobody',
    steps: async (page) => {
      await type(page, 'User name or e-mail', 'ada')
      await type(page, 'Password', 'not-hers')
      await press(page, /^Sign in$/)
      await says(page, 'User name or password is not right.')
    },
  },
  {
    name: 'sign-in-code',
    path: '/user/login',
    by: 'nobody',
    steps: async (page) => {
      await type(page, 'User name or e-mail', 'grace')
      await type(page, 'Password', 'grace-Pass-1234')
      await press(page, /^Sign in$/)
      await page.waitForURL('**/user/login/code*')
    },
  },
  {
    name: 'sign-in-provider-name',
    path: '/user/oidc/corp/name',
    by: 'nobody',
    status: 400,
    steps: async (page) => {
      await page.context().clearCookies()
      await page.goto('/user/oidc/corp')
      await page.getByPlaceholder('Enter any login').fill('joan')
      await page.getByPlaceholder('and password').fill('any')
      await page.getByRole('button', { name: 'Sign-in' }).click()
      await says(page, 'somebody has it')
    },
  },
  {
    name: 'account-identity-refused',
    path: '/user/settings/identities',
    by: 'ada',
    steps: async (page) => {
      await type(page, 'Your password', 'not hers')
      await press(page, 'Link Corp')
      await page.locator('[id^=error-]').first().waitFor()
    },
  },
  {
    name: 'package-edit-preview',
    path: `${anchor}/-/edit`,
    by: 'ada',
    steps: async (page) => {
      await press(page, 'Preview')
      await page.waitForURL('**#preview')
    },
  },
  {
    name: 'package-edit-wrong',
    path: `${anchor}/-/edit`,
    by: 'ada',
    steps: async (page) => {
      await type(page, 'Homepage', 'no address')
      await press(page, 'Save')
      await page.locator('[id^=error-]').first().waitFor()
    },
  },
  {
    name: 'package-delete-wrong',
    path: `${anchor}/-/delete`,
    by: 'ada',
    steps: async (page) => {
      await press(page, 'Delete the package')
      await page.locator('[id^=error-]').first().waitFor()
    },
  },
  {
    name: 'upload-chosen',
    path: '/acme/-/upload?package=anchor&version=1.6.0',
    by: 'ada',
    steps: async (page) => {
      await choose(page, { 'anchor-1.6.0-linux-x64.tar.gz': 'x'.repeat(90_000), 'a name?.txt': 'short' })
      await page.getByRole('button', { name: /^Upload \d/ }).waitFor()
    },
  },
  {
    name: 'upload-done',
    path: '/acme/-/upload?package=anchor&version=1.5.0',
    by: 'ada',
    steps: async (page) => {
      made++
      await choose(page, { [`notes-${made}.txt`]: `The notes, ${made}`, 'SHA256SUMS.txt': 'another one' })
      await page.getByRole('button', { name: /^Upload \d/ }).click()
      await page.getByRole('link', { name: 'Open anchor 1.5.0' }).waitFor()
    },
  },
  {
    name: 'account-token-made',
    path: '/user/settings/tokens',
    by: 'ada',
    steps: async (page) => {
      await type(page, 'Name', `release of anchor ${++made}`)
      await page.getByRole('checkbox', { name: 'Publish and delete packages' }).check()
      await press(page, 'Make token')
      await says(page, 'Copy it now')
    },
  },
  {
    name: 'deploy-token-made',
    path: '/acme/-/deploy-tokens/new',
    by: 'ada',
    steps: async (page) => {
      await type(page, 'Name', `release of anchor ${++made}`)
      await type(page, 'Packages (optional)', 'anchor\nanchor-*')
      await press(page, 'Make deploy token')
      await says(page, 'Copy it now')
    },
  },
  {
    name: 'deploy-token-wrong',
    path: '/acme/-/deploy-tokens/new',
    by: 'ada',
    steps: async (page) => {
      await type(page, 'Packages (optional)', 'anchor\nelse/anchor')
      await type(page, 'Name', 'release')
      await press(page, 'Make deploy token')
      await page.locator('[id^=error-]').first().waitFor()
    },
  },
  {
    name: 'account-token-wrong',
    path: '/user/settings/tokens',
    by: 'ada',
    steps: async (page) => {
      await press(page, 'Make token')
      await page.locator('[id^=error-]').first().waitFor()
    },
  },
  {
    name: 'account-two-factor-enrolment',
    path: '/user/settings/two-factor',
    by: 'ada',
    steps: async (page) => {
      await type(page, 'Your password', 'ada-Pass-1234')
      await press(page, 'Set up')
      await page.getByRole('img', { name: 'QR code' }).waitFor()
    },
  },
  {
    name: 'account-passkey-new',
    path: '/user/settings/passkeys',
    by: 'ada',
    steps: async (page) => {
      await type(page, 'Your password', 'ada-Pass-1234')
      await press(page, 'Go on')
      await page.getByRole('button', { name: 'Make the passkey' }).waitFor()
    },
  },
  {
    name: 'sign-in-passkey-or-code',
    path: '/user/login',
    by: 'nobody',
    steps: async (page) => {
      await type(page, 'User name or e-mail', 'grace')
      await type(page, 'Password', 'grace-Pass-1234')
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await says(page, 'Now show a passkey')
    },
  },
  {
    name: 'account-recovery-codes',
    path: '/user/settings/two-factor/recovery-codes',
    by: 'grace',
    steps: async (page, site) => {
      await type(page, 'Your password', 'grace-Pass-1234')
      await type(page, 'Code', site.code())
      await press(page, 'Make new codes')
      await says(page, 'The old ones count no more.')
    },
  },
  {
    name: 'invitation-made',
    path: '/acme/-/invitations',
    by: 'ada',
    steps: async (page) => {
      await press(page, 'Make an invitation')
      await says(page, 'The invitation is made')
    },
  },
  {
    name: 'webhook-wrong',
    path: '/acme/-/webhooks/new',
    by: 'ada',
    steps: async (page) => {
      await type(page, 'Address', 'ftp://example.com/')
      await press(page, 'Make the webhook')
      await page.locator('[id^=error-]').first().waitFor()
    },
  },
  {
    name: 'admin-reset-link',
    path: '/-/admin/users/joan',
    by: 'admin',
    steps: async (page) => {
      await press(page, 'Make a reset link')
      await says(page, 'user/password-reset#')
    },
  },
  {
    name: 'admin-quotas-wrong',
    path: '/-/admin/quotas',
    by: 'admin',
    steps: async (page) => {
      await page.getByLabel('Size of all files').first().fill('10 apples')
      await page.getByRole('main').getByRole('button', { name: 'Save' }).first().click()
      await says(page, 'This must be a size')
    },
  },
]

/** Leads to the page, and does there what is to be done before it is looked at. */
export async function openPicture(page: Page, { path, status = 200, steps }: Picture, site: Site): Promise<void> {
  const response = await page.goto(path)
  if (response?.status() !== status) throw new Error(`${path}: ${response?.status()} instead of ${status}`)
  await steps?.(page, site)
  await page.evaluate('document.fonts.ready')
}

/** Signs in whoever looks. */
export async function enterAs(window: Window, by: Picture['by'], site: Site): Promise<void> {
  if (by === 'nobody') return
  if (by !== 'grace') return window.signIn(by, by === 'admin' ? adminPassword : undefined)
  const { page } = window
  await page.goto('/user/login')
  await type(page, 'User name or e-mail', by)
  await type(page, 'Password', 'grace-Pass-1234')
  const signIn = () => page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await signIn()
  await type(page, 'Code', site.code())
  await signIn()
  await page.waitForURL((url) => !url.pathname.startsWith('/user/login'))
}
