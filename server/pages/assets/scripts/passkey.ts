import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser'
import { refusalOf } from './passkey-refusals.ts'

/*
 * Forms that are sent with a passkey: the browser is asked for one, and what it answers goes along in a field. Without a script
 * such a form has no button.
 */

for (const form of document.querySelectorAll<HTMLFormElement>('form[data-passkey]')) {
  const button = form.querySelector<HTMLButtonElement>('[data-passkey-button]')
  const told = form.querySelector<HTMLElement>('[data-passkey-told]')
  const absent = form.querySelector<HTMLElement>('[data-passkey-absent]')
  const field = form.querySelector<HTMLInputElement>('input[name="credential"]')
  if (!button || !told || !absent || !field) continue
  const { passkey: kind = '', origin = '', optionsAt, optionsFor, options } = form.dataset

  const tell = (text: string) => {
    told.hidden = text === ''
    const words = told.querySelector('[data-passkey-words]')
    if (words) words.textContent = text
  }

  const ask = async (): Promise<unknown> => {
    if (optionsAt === undefined) return JSON.parse(options ?? '')
    const answer = await fetch(optionsAt, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ for: optionsFor }),
    })
    const said = (await answer.json()) as { message?: string }
    if (!answer.ok) throw new Error(said.message)
    return said
  }

  const show = async () => {
    const wanted = await ask()
    return kind === 'create'
      ? startRegistration({ optionsJSON: wanted as PublicKeyCredentialCreationOptionsJSON })
      : startAuthentication({ optionsJSON: wanted as PublicKeyCredentialRequestOptionsJSON })
  }

  // A page that was left and is come back to must not be stuck.
  button.disabled = false
  if (location.origin !== origin)
    absent.textContent = `Passkeys of this site belong to ${origin}: open it by that address.`
  else if (!browserSupportsWebAuthn()) absent.textContent = 'This browser has no passkeys.'
  absent.hidden = absent.textContent === ''
  button.hidden = !absent.hidden

  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (button.hidden || button.disabled) return
    button.disabled = true
    tell('')
    try {
      field.value = JSON.stringify(await show())
      form.submit()
    } catch (error) {
      tell(refusalOf(error, kind))
      button.disabled = false
    }
  })
}
