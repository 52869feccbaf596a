import type { PropsWithChildren } from 'hono/jsx'
import type { RelyingParty } from '../../access/relying-party.ts'
import type { PasskeyOptions } from '../../access/webauthn.ts'
import { useSite } from '../site.ts'
import { Button } from './forms.tsx'
import { Icon, type IconName } from './icon.tsx'

interface Props {
  action: string
  party: RelyingParty
  /** What is asked for when the button is pressed; or what was asked for with this page, which makes a passkey. */
  ask: 'sign-in' | 'second-factor' | 'proof' | PasskeyOptions
  button: string
  look?: 'primary' | 'danger'
  icon?: IconName
  /** What it is for, where a page has several. */
  forWhat?: string
}

/**
 * A form that is sent with a passkey, by `assets/scripts/passkey.ts`: only a script can ask a browser for one. So without one there
 * is a sentence in the place of the button. The page must name the script.
 */
export function PasskeyForm(props: PropsWithChildren<Props>) {
  const { action, party, ask, button, look, icon = 'key', forWhat = button, children } = props
  const { links } = useSite()
  const asked =
    typeof ask === 'string'
      ? { 'data-options-at': links.path('/user/passkey-options'), 'data-options-for': ask }
      : { 'data-options': JSON.stringify(ask) }
  return (
    <form
      method="post"
      action={action}
      data-passkey={typeof ask === 'string' ? 'get' : 'create'}
      data-origin={party.origin}
      {...asked}
    >
      {children}
      <input type="hidden" name="credential" value="" />
      <p data-passkey-told role="alert" class="text-error text-sm flex gap-1.5 items-start mb-3" hidden>
        <Icon name="error" class="mt-1" />
        <span data-passkey-words></span>
      </p>
      <p data-passkey-absent class="quiet text-sm breaks" hidden></p>
      <Button {...(look ? { look } : {})} icon={icon} data-passkey-button="" hidden>
        {button}
      </Button>
      <noscript>
        <p class="quiet text-sm">
          {forWhat}: only a script can ask your browser for a passkey, and scripts are turned off.
        </p>
      </noscript>
    </form>
  )
}
