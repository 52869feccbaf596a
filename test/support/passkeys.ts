import type { AskedOptions, SoftAuthenticator } from './authenticator.ts'
import type { Browser } from './browser.ts'

const place = '/user/settings/passkeys'

/** What the page asks a browser for to make a passkey, once these fields have shown who is there. */
export async function askedForNew(browser: Browser, fields: Record<string, string>): Promise<AskedOptions> {
  const answer = await browser.submit(place, fields)
  const text = await answer.text()
  const [, options] = /data-options="([^"]*)"/.exec(text) ?? []
  if (answer.status !== 200 || options === undefined)
    throw new Error(`no passkey is asked for: ${answer.status} ${text}`)
  return JSON.parse(options.replaceAll('&quot;', '"').replaceAll('&amp;', '&')) as AskedOptions
}

/** What the script of a page is told to ask for. */
export async function askedFor(browser: Browser, purpose: string): Promise<AskedOptions> {
  const answer = await browser.post('/user/passkey-options', { for: purpose })
  if (answer.status !== 200) throw new Error(`no passkey is asked for: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as AskedOptions
}

/** Adds a passkey that this authenticator keeps, for who is signed in and has that password. */
export async function addPasskey(
  browser: Browser,
  { password, authenticator, name = 'Phone' }: { password: string; authenticator: SoftAuthenticator; name?: string },
): Promise<SoftAuthenticator> {
  const options = await askedForNew(browser, { password })
  const added = await browser.submit(`${place}/add`, { credential: authenticator.create(options), name })
  if (added.status !== 303) throw new Error(`the passkey is not added: ${added.status} ${await added.text()}`)
  return authenticator
}

/** Signs in with nothing but a passkey. */
export async function signInByPasskey(browser: Browser, authenticator: SoftAuthenticator): Promise<Response> {
  const credential = authenticator.get(await askedFor(browser, 'sign-in'))
  return browser.submit('/user/login/passkey', { credential })
}
