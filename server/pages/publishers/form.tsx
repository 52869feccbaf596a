import { pinOf } from '../../access/publisher-rules.ts'
import type { PublisherRule } from '../../access/publishers.ts'
import type { Issuer } from '../../lib/issuers.ts'
import { Button, ButtonLink, Confirm, TextArea, TextField } from '../components/forms.tsx'
import { Icon } from '../components/icon.tsx'
import { Alert } from '../components/parts.tsx'
import type { Faults } from '../forms.ts'
import { withQuery } from '../links.ts'
import { type Addresses, PublisherPage } from './frame.tsx'
import { issuerName, ownFields, type PublisherValues } from './words.ts'

/** Whose jobs: each CI system has a form of its own. */
export function ChooseIssuer({ at, issuers }: { at: Addresses; issuers: readonly Issuer[] }) {
  return (
    <PublisherPage at={at} step="New" title={`New trusted publisher for ${at.owner}`}>
      <p class="mb-4 prose-width">Where does the job run?</p>
      <ul class="grid gap-3 prose-width">
        {issuers.map((issuer) => (
          <li>
            <a
              href={withQuery(at.fresh, { issuer: issuer.url })}
              class="panel flex items-center justify-between gap-3 px-4 py-3"
            >
              <span class="min-w-0">
                <span class="block font-medium breaks">{issuerName(issuer)}</span>
                <span class="block quiet text-sm font-mono breaks">{issuer.url}</span>
              </span>
              <Icon name="next" />
            </a>
          </li>
        ))}
      </ul>
    </PublisherPage>
  )
}

interface FormProps {
  at: Addresses
  /** Undefined: a new one. */
  rule: PublisherRule | undefined
  issuer: Issuer
  values: PublisherValues
  faults: Faults | undefined
}

const pins = {
  github: {
    label: 'Repository ID',
    hint: (
      <>
        A number that stays when the repository is renamed, and goes to nobody else: open{' '}
        <code class="breaks">https://api.github.com/repos/OWNER/REPO</code> and look for <code>"id"</code>.
      </>
    ),
  },
  gitlab: {
    label: 'Project ID',
    hint: 'A number that stays when the project is renamed, and goes to nobody else: the page of the project has it in its menu (⋮), as “Copy project ID”.',
  },
  other: {
    label: 'Subject (sub)',
    hint: "The job's whole subject, without wildcards: let the job try once, and copy sub from the refusal.",
  },
} as const

const fields = {
  github: {
    ref: {
      label: 'Branch or tag (optional)',
      hint: (
        <>
          Such as <code>refs/heads/main</code> or <code>refs/tags/v*</code>. Without it every branch of the repository
          may publish.
        </>
      ),
    },
    environment: {
      label: 'Environment (optional)',
      hint: 'The name of a deployment environment, which can ask for approval before a job begins.',
    },
    workflow_ref: {
      label: 'Workflow (optional)',
      hint: (
        <>
          Such as <code class="breaks">octo/tool/.github/workflows/publish.yml@*</code>.
        </>
      ),
    },
  },
  gitlab: {
    ref: {
      label: 'Branch or tag (optional)',
      hint: (
        <>
          Such as <code>main</code> or <code>v*</code>. Without it every branch of the project may publish. With{' '}
          <code>ref_protected=true</code> below, only protected ones.
        </>
      ),
    },
    environment: { label: 'Environment (optional)', hint: 'The name of the environment that the job deploys to.' },
    workflow_ref: { label: '', hint: '' },
  },
} as const

export function PublisherForm({ at, rule, issuer, values, faults }: FormProps) {
  const wrong = faults?.fields ?? {}
  const { kind } = issuer
  const title = rule ? `Change ${rule.name}` : `New trusted publisher for ${at.owner}`
  return (
    <PublisherPage at={at} rule={rule} step={rule ? 'Change' : 'New'} title={title}>
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <form method="post" action={rule ? at.edit(rule.id) : at.fresh} class="prose-width">
        <input type="hidden" name="issuer" value={issuer.url} />
        <p class="mb-4">
          Jobs of <strong class="font-medium">{issuerName(issuer)}</strong>{' '}
          <span class="quiet text-sm font-mono breaks">{issuer.url}</span>
        </p>
        <TextField
          name="name"
          label="Name"
          value={values.name}
          error={wrong.name}
          hint="What you call it, such as the repository's name."
          required
          maxlength={255}
          autocomplete="off"
        />
        <TextField
          name="pin"
          label={pins[kind].label}
          value={values.pin}
          error={wrong.pin}
          hint={pins[kind].hint}
          required
          maxlength={500}
          autocomplete="off"
          isMono
          {...(kind === 'other' ? {} : { inputmode: 'numeric' as const })}
        />
        {kind !== 'other' &&
          ownFields(kind).map((name) => (
            <TextField
              name={name}
              label={fields[kind][name].label}
              value={values[name]}
              error={wrong[name]}
              hint={fields[kind][name].hint}
              maxlength={500}
              autocomplete="off"
              isMono
            />
          ))}
        <TextArea
          name="others"
          label="Other claims (optional)"
          value={values.others}
          error={wrong.others}
          hint={
            <>
              A line for each, <code>claim=value</code>. In all but the {pinOf(kind).claim} a <code>*</code> stands for
              any characters.
            </>
          }
          rows={3}
          maxlength={10_000}
          isMono
        />
        <TextField
          name="packages"
          label="Packages"
          value={values.packages}
          error={wrong.packages}
          hint={
            <>
              Names of packages of {at.owner}, apart by commas; <code>tool-*</code> is all that begin with tool-. They
              need not be there yet.
            </>
          }
          required
          maxlength={10_000}
          autocomplete="off"
          isMono
        />
        {rule && <p class="quiet mb-4">Tokens that jobs hold by this rule end with the change.</p>}
        <div class="flex flex-wrap gap-3 mt-6">
          <Button look="primary">{rule ? 'Save the publisher' : 'Trust these jobs'}</Button>
          <ButtonLink href={rule ? at.one(rule.id) : at.all}>Cancel</ButtonLink>
        </div>
      </form>
    </PublisherPage>
  )
}

export function DeletePublisher(props: {
  at: Addresses
  rule: PublisherRule
  typed: string
  faults: Faults | undefined
}) {
  const { at, rule, typed, faults } = props
  return (
    <PublisherPage at={at} rule={rule} step="Delete" title="Delete a trusted publisher">
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      <Confirm
        action={at.remove(rule.id)}
        name={rule.name}
        typed={typed}
        button="Delete the publisher"
        error={faults?.fields.confirm}
        back={at.one(rule.id)}
      >
        <p class="breaks">
          The jobs of <strong class="font-medium">{rule.name}</strong> can publish nothing at {at.owner} any more, and
          those that run now are refused too. What they have published stays.
        </p>
      </Confirm>
    </PublisherPage>
  )
}
