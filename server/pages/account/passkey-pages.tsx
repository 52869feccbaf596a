import { longestPasskeyName, mostPasskeys, type Proof } from '../../access/passkey-rules.ts'
import type { PasskeyRow } from '../../access/passkeys.ts'
import type { NoRelyingParty, RelyingParty } from '../../access/relying-party.ts'
import type { PasskeyOptions } from '../../access/webauthn.ts'
import { Button, ButtonLink, TextField } from '../components/forms.tsx'
import { Alert, Empty, Section, Trail } from '../components/parts.tsx'
import { PasskeyForm } from '../components/passkey-form.tsx'
import { actions, TableHead } from '../components/table-head.tsx'
import { Ago } from '../components/values.tsx'
import type { Faults } from '../forms.ts'
import { useSite } from '../site.ts'
import { AccountPage } from './frame.tsx'

interface Props {
  passkeys: readonly PasskeyRow[]
  party: RelyingParty | NoRelyingParty
  /** The site's own, at which there may be none. */
  address: string
  /** How the reader can show once more who he is; empty where he cannot. */
  proofs: readonly Proof[]
  faults: Faults | undefined
}

export function PasskeysPage({ passkeys, party, address, proofs, faults }: Props) {
  const { links } = useSite()
  return (
    <AccountPage here="passkeys" faults={faults}>
      <div class="prose-width grid gap-3 mb-5">
        <h2>Passkeys</h2>
        <p>
          A passkey is a key that your phone, computer, password manager or security key keeps for you. It signs you in
          without a password, once you have unlocked it, and it cannot be given to a site that only looks like this one.
        </p>
        <p class="quiet">
          As soon as you have one, your password alone signs nobody in: in a browser it takes a passkey or the code of
          your second factor beside it, and programs need a token.
        </p>
      </div>
      {passkeys.length > 0 ? (
        <table class="list-table mb-6">
          <TableHead columns={['Name', 'Kept', 'Added', 'Last used', actions]} />
          <tbody>
            {passkeys.map((passkey) => (
              <Row passkey={passkey} path={links.path(`/user/settings/passkeys/${passkey.id}`)} />
            ))}
          </tbody>
        </table>
      ) : (
        typeof party === 'object' && <Empty title="You have no passkeys." />
      )}
      {typeof party === 'string' ? (
        <NoPasskeys why={party} address={address} />
      ) : passkeys.length >= mostPasskeys ? (
        <p class="prose-width">
          You have {mostPasskeys} passkeys, which is as many as an account may have. Remove one to add another.
        </p>
      ) : (
        <Section title="Add a passkey">
          {passkeys.length === 1 && (
            <p class="prose-width mb-4">
              Add one on another device too. Whoever loses the only one has to ask an administrator for help.
            </p>
          )}
          <Proofs
            {...{ party, proofs, faults }}
            action={links.path('/user/settings/passkeys')}
            button="Go on"
            because="Asked for because whoever adds a passkey can sign in with it."
          />
        </Section>
      )}
    </AccountPage>
  )
}

function Row({ passkey, path }: { passkey: PasskeyRow; path: string }) {
  return (
    <tr>
      <td class="breaks" dir="auto">
        {passkey.name}
      </td>
      <td data-label="Kept">{passkey.is_backed_up === 1 ? 'With a copy elsewhere' : 'On one device'}</td>
      <td data-label="Added">
        <Ago at={passkey.created_at} />
      </td>
      <td data-label="Last used">{passkey.last_used_at === null ? 'never' : <Ago at={passkey.last_used_at} />}</td>
      <td class="number">
        <ButtonLink href={path} size="xs">
          Change<span class="sr-only"> {passkey.name}</span>
        </ButtonLink>
      </td>
    </tr>
  )
}

/** Why there are none, and who can do something about it. */
function NoPasskeys({ why, address }: { why: NoRelyingParty; address: string }) {
  return (
    <Alert tone="info">
      {why === 'address' ? (
        <>
          There are no passkeys here: each belongs to the name of a site, and this one is at an IP address ({address}).
          Whoever runs it can give it a name, and say so with <code>STOWAGE_PUBLIC_URL</code>.
        </>
      ) : (
        <>
          There are no passkeys here: browsers give them only to pages that come by https, and this site is at {address}
          . Whoever runs it can put TLS before it, and say so with <code>STOWAGE_PUBLIC_URL</code>.
        </>
      )}
    </Alert>
  )
}

/** What shows once more who somebody is: a form for each way that he has. */
function Proofs(props: {
  party: RelyingParty | NoRelyingParty
  proofs: readonly Proof[]
  faults: Faults | undefined
  action: string
  button: string
  look?: 'danger'
  because: string
}) {
  const { party, proofs, faults, action, button, look, because } = props
  const icon = look === 'danger' ? 'trash' : 'add'
  if (proofs.length === 0) {
    return (
      <p class="prose-width">
        You were signed in by a proxy before this site, and there is nothing here by which you could show once more who
        you are. Ask those who run the proxy how to sign in more safely.
      </p>
    )
  }
  if (typeof party === 'string' && proofs.every((proof) => proof === 'passkey')) {
    return <p class="prose-width">It takes one of your passkeys, and none can be shown at this address.</p>
  }
  return (
    <div class="prose-width grid gap-5">
      {proofs.map((proof) =>
        proof === 'passkey' ? (
          typeof party === 'object' && (
            <PasskeyForm
              {...{ action, party, icon: 'key' }}
              ask="proof"
              button={
                look ? 'Show a passkey and remove' : `Show a passkey ${proofs.length > 1 ? 'instead' : 'to go on'}`
              }
              {...(look ? { look } : {})}
            >
              {proofs.length === 1 && <p class="mb-4 quiet">{because}</p>}
            </PasskeyForm>
          )
        ) : (
          <form method="post" action={action}>
            {proof === 'password' ? (
              <TextField
                name="password"
                label="Your password"
                type="password"
                error={faults?.fields.password}
                hint={because}
                autocomplete="current-password"
              />
            ) : (
              <p class="mb-4 quiet">{because} So it takes a sign-in of the last few minutes.</p>
            )}
            <Button look={look ?? 'primary'} icon={icon}>
              {button}
            </Button>
          </form>
        ),
      )}
    </div>
  )
}

/** The second step: what was shown before is good for a few minutes. */
export function NewPasskeyPage(props: { party: RelyingParty; options: PasskeyOptions; suggested: string }) {
  const { party, options, suggested } = props
  const { links } = useSite()
  const back = links.path('/user/settings/passkeys')
  return (
    <>
      <Steps back={back} title="Add a passkey" />
      <h1 class="mb-4">Add a passkey</h1>
      <div class="prose-width">
        <p class="mb-4">
          Your browser asks where to keep it: on this device, on your phone, or on a security key. You have ten minutes.
        </p>
        <PasskeyForm
          action={links.path('/user/settings/passkeys/add')}
          {...{ party, ask: options }}
          button="Make the passkey"
          look="primary"
        >
          <TextField
            name="name"
            label="Name"
            value={suggested}
            hint="By which you know it again, such as the device that keeps it."
            autocomplete="off"
            maxlength={longestPasskeyName}
            required
          />
        </PasskeyForm>
        <p class="mt-4">
          <a href={back} class="line">
            Not now
          </a>
        </p>
      </div>
    </>
  )
}

function Steps({ back, title }: { back: string; title: string }) {
  const { links } = useSite()
  return (
    <Trail
      steps={[
        { text: 'Account', href: links.path('/user/settings') },
        { text: 'Passkeys', href: back },
        { text: title },
      ]}
    />
  )
}

export function PasskeyPage(
  props: Omit<Props, 'passkeys' | 'address'> & { passkey: PasskeyRow; isLast: boolean; typed?: string },
) {
  const { passkey, isLast, party, proofs, faults, typed } = props
  const { links } = useSite()
  const path = links.path(`/user/settings/passkeys/${passkey.id}`)
  return (
    <>
      <Steps back={links.path('/user/settings/passkeys')} title={passkey.name} />
      <h1 class="mb-4 breaks" dir="auto">
        {passkey.name}
      </h1>
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <form method="post" action={path} class="prose-width">
        <TextField
          name="name"
          label="Name"
          value={typed ?? passkey.name}
          error={faults?.fields.name}
          autocomplete="off"
          maxlength={longestPasskeyName}
          required
        />
        <Button>Rename</Button>
      </form>
      <Section title="Remove this passkey">
        <p class="mb-4 prose-width">
          It signs nobody in any more, and your other sessions end.{' '}
          {isLast
            ? 'It is your last one: from then on your password is enough again, if you have one. '
            : 'Your other passkeys stay. '}
          Remove it from the device too, which cannot know that it is of no use.
        </p>
        <Proofs
          {...{ party, proofs, faults }}
          action={`${path}/delete`}
          button="Remove"
          look="danger"
          because="Asked for because it changes how you sign in."
        />
      </Section>
    </>
  )
}
