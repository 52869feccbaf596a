import { raw } from 'hono/html'
import { qrSvg } from '../../lib/qr.ts'
import { Button, ButtonLink, TextField } from '../components/forms.tsx'
import { Alert, State, Trail } from '../components/parts.tsx'
import { Command, Copy } from '../components/values.tsx'
import type { Faults } from '../forms.ts'
import { useSite } from '../site.ts'
import { counted } from '../words.ts'
import { AccountPage } from './frame.tsx'

interface Status {
  isConfirmed: boolean
  recoveryCodesLeft: number
}

/** How it stands, and what to do next. `status` is undefined where there can be none. */
export function TwoFactorPage(props: {
  noPassword: string | undefined
  status: Status | undefined
  faults: Faults | undefined
}) {
  const { noPassword, status, faults } = props
  return (
    <AccountPage here="two-factor" faults={faults}>
      <div class="prose-width grid gap-4">
        <div class="flex flex-wrap items-center gap-x-4 gap-y-1">
          <h2>Two-factor sign-in</h2>
          {status && (status.isConfirmed ? <State tone="success">On</State> : <State tone="none">Off</State>)}
        </div>
        <p>
          Beside your password, a code from your phone is asked for. Whoever comes by your password alone gets no
          further. Tokens go on without a code.
        </p>
        {status === undefined ? (
          <p>
            {noPassword}, so there is nothing for a code to stand beside.{' '}
            {noPassword?.includes('proxy') && 'Ask those who run the proxy what it asks for.'}
          </p>
        ) : status.isConfirmed ? (
          <On left={status.recoveryCodesLeft} />
        ) : (
          <Begin faults={faults} />
        )}
      </div>
    </AccountPage>
  )
}

const few = 3

function On({ left }: { left: number }) {
  const { links } = useSite()
  return (
    <>
      {left <= few && (
        <Alert tone="warning">
          {left === 0 ? 'You have used all recovery codes.' : `You have ${counted(left, 'recovery code')} left.`} Make
          new ones while you have your phone.
        </Alert>
      )}
      <dl class="facts">
        <dt>Recovery codes</dt>
        <dd>{counted(left, 'code')} left</dd>
      </dl>
      <div class="flex flex-wrap gap-3">
        <ButtonLink href={links.path('/user/settings/two-factor/recovery-codes')} icon="repeat">
          New recovery codes
        </ButtonLink>
        <ButtonLink href={links.path('/user/settings/two-factor/off')} look="danger">
          Turn off
        </ButtonLink>
      </div>
      <p class="quiet">
        A new phone? Turn it off with a code of the old one or a recovery code, then set it up on the new one.
      </p>
    </>
  )
}

function Begin({ faults }: { faults: Faults | undefined }) {
  const { links } = useSite()
  return (
    <form method="post" action={links.path('/user/settings/two-factor')}>
      <p class="mb-4">
        You need an authenticator: an app on your phone such as Aegis, 2FAS or Google Authenticator, or a password
        manager that can do it.
      </p>
      <PasswordField error={faults?.fields.password} />
      <Button look="primary" icon="key">
        Set up
      </Button>
    </form>
  )
}

function PasswordField({ error }: { error: string | undefined }) {
  return (
    <TextField name="password" label="Your password" type="password" error={error} autocomplete="current-password" />
  )
}

/** The secret, shown this once: as a picture to scan, as a link for the phone itself, and as text to type. */
export function EnrolPage({ secret, url, faults }: { secret: string; url: string; faults: Faults | undefined }) {
  const { links } = useSite()
  return (
    <AccountPage here="two-factor" faults={faults}>
      <h2 class="mb-4">Set up two-factor sign-in</h2>
      <div class="grid gap-8 grid-cols-1 md:grid-cols-[14rem_minmax(0,1fr)]">
        <div class="grid gap-3 justify-items-start content-start">
          <div role="img" aria-label="QR code of the secret" class="w-56 max-w-full panel overflow-hidden">
            {raw(qrSvg(url))}
          </div>
          <a href={url} class="line text-sm">
            Open in an app on this device
          </a>
        </div>
        <div class="prose-width">
          <h3>1. Add the account to your authenticator</h3>
          <p class="mb-3">Scan the picture, or type this secret: time-based, six digits.</p>
          <div class="command">
            <pre tabindex={0}>
              <code>{inGroups(secret)}</code>
            </pre>
            <Copy text={secret} what="secret" />
          </div>
          <h3 class="mt-6 mb-2">2. Show that it works</h3>
          <form method="post" action={links.path('/user/settings/two-factor/confirm')}>
            <input type="hidden" name="secret" value={secret} />
            <TextField
              name="code"
              label="Code"
              error={faults?.fields.code}
              hint="The six digits that it shows now. Nothing changes before they are right; you have an hour."
              inputmode="numeric"
              autocomplete="one-time-code"
              isMono
            />
            <div class="flex flex-wrap gap-3">
              <Button look="primary">Turn on</Button>
              <ButtonLink href={links.path('/user/settings/two-factor')}>Not now</ButtonLink>
            </div>
          </form>
        </div>
      </div>
    </AccountPage>
  )
}

/** Fours are easier to type. */
function inGroups(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, '$1 ')
}

/** Shown this once: the server keeps nothing from which they could be read. */
export function RecoveryCodesPage({ codes, isNew }: { codes: readonly string[]; isNew: boolean }) {
  const { links } = useSite()
  return (
    <AccountPage here="two-factor">
      <Alert tone="success">
        {isNew
          ? 'Two-factor sign-in is on. Your other sessions have ended.'
          : 'These are your new recovery codes. The old ones count no more.'}
      </Alert>
      <div class="prose-width grid gap-4">
        <h2>Recovery codes</h2>
        <p>
          Each signs you in once, in the place of a code from your phone. They are shown only now: print them or keep
          them where you keep passwords, and not on the phone itself.
        </p>
        <Command text={codes.join('\n')} what="recovery codes" />
        <div class="flex flex-wrap gap-3">
          <form method="post" action={links.path('/user/settings/two-factor/recovery-codes.txt')}>
            {codes.map((code) => (
              <input type="hidden" name="recovery" value={code} />
            ))}
            <Button icon="down">Download as a text file</Button>
          </form>
          <ButtonLink href={links.path('/user/settings/two-factor')} look="primary" icon="check">
            I have kept them
          </ButtonLink>
        </div>
      </div>
    </AccountPage>
  )
}

const again = {
  off: {
    title: 'Turn off two-factor sign-in',
    told: 'Your password alone will sign you in again. Your other sessions end, and your recovery codes count no more.',
    button: 'Turn off',
  },
  'recovery-codes': {
    title: 'New recovery codes',
    told: 'You get ten new ones, and those that are left of the old ones count no more.',
    button: 'Make new codes',
  },
} as const

/** What takes password and code once more, as a session has shown neither. */
export function SayAgainPage({ what, faults }: { what: keyof typeof again; faults: Faults | undefined }) {
  const { links } = useSite()
  const { title, told, button } = again[what]
  const back = links.path('/user/settings/two-factor')
  return (
    <>
      <Trail
        steps={[
          { text: 'Account', href: links.path('/user/settings') },
          { text: 'Two-factor', href: back },
          { text: title },
        ]}
      />
      <h1 class="mb-4">{title}</h1>
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <form method="post" action={links.path(`/user/settings/two-factor/${what}`)} class="prose-width">
        <p class="mb-4">{told}</p>
        <PasswordField error={faults?.fields.password} />
        <TextField
          name="code"
          label="Code"
          error={faults?.fields.code}
          hint="From your authenticator, or a recovery code."
          autocomplete="one-time-code"
          isMono
        />
        <div class="flex flex-wrap gap-3">
          <Button look={what === 'off' ? 'danger' : 'primary'}>{button}</Button>
          <ButtonLink href={back}>Leave it</ButtonLink>
        </div>
      </form>
    </>
  )
}
