import { raw } from 'hono/html'
import type { DescribedPackage, PackageTexts } from '../../registry/package-text.ts'
import { longest, mostLabels } from '../../registry/package-text.ts'
import { Button, ButtonLink, TextArea, TextField } from '../components/forms.tsx'
import { Alert, Section, Trail } from '../components/parts.tsx'
import type { Faults, Form } from '../forms.ts'
import { markdownToHtml } from '../packages/markdown.ts'
import { useSite } from '../site.ts'
import { number } from '../words.ts'

/** What is said of a package, as it is typed. */
export interface TypedTexts {
  description: string
  homepage: string
  repository_url: string
  /** With commas between them. */
  labels: string
  readme: string
}

export function typedFrom(form: Form): TypedTexts {
  return {
    description: form.text('description').trim(),
    homepage: form.text('homepage').trim(),
    repository_url: form.text('repository_url').trim(),
    labels: form.text('labels'),
    readme: form.text('readme'),
  }
}

export function typedAs({ description, homepage, repository_url, labels, readme }: PackageTexts): TypedTexts {
  return { description, homepage, repository_url, labels: labels.join(', '), readme }
}

/** `cli, linux` → two labels; what is empty between commas is none. */
export function labelsFrom(typed: string): string[] {
  return typed
    .split(/[,\n]/)
    .map((label) => label.trim())
    .filter((label) => label !== '')
}

interface EditProps {
  owner: string
  /** As it is now. */
  its: DescribedPackage
  typed: TypedTexts
  /** The mark of the texts that the form began with. */
  seen: string
  faults?: Faults | undefined
  isPreview?: boolean
  /** Whether somebody else has changed it since the form was opened. */
  isOvertaken?: boolean
}

export function EditPage({ owner, its, typed, seen, faults, isPreview, isOvertaken }: EditProps) {
  const { links } = useSite()
  const { name } = its
  const action = links.package(owner, name, 'edit')
  const field = (key: keyof TypedTexts) => ({ name: key, value: typed[key], error: faults?.fields[key] })
  return (
    <>
      <Trail
        steps={[
          { text: owner, href: links.owner(owner) },
          { text: name, href: links.package(owner, name) },
          { text: 'Edit' },
        ]}
      />
      <h1 class="mb-5">Edit {name}</h1>
      {faults?.form && <Alert tone="error">{faults.form}</Alert>}
      {isOvertaken && <Overtaken its={its} />}
      <form method="post" action={action} class="max-w-3xl">
        <input type="hidden" name="seen" value={seen} />
        <TextField
          {...field('description')}
          label="Description"
          hint="One line of what it is, shown in lists and in search."
        />
        <div class="grid gap-x-5 sm:grid-cols-2">
          <TextField {...field('homepage')} label="Homepage" placeholder="https://" inputmode="url" />
          <TextField {...field('repository_url')} label="Repository" placeholder="https://" inputmode="url" />
        </div>
        <TextField
          {...field('labels')}
          label="Labels"
          hint={`With commas between them: letters, digits, “-”, “_”, “.” and “:”; ${mostLabels} at most.`}
        />
        <TextArea
          {...field('readme')}
          label="README"
          rows={18}
          isMono
          hint={`Markdown, ${number(longest.readme)} characters at most. Pictures from elsewhere are shown as links.`}
        />
        <div class="flex flex-wrap gap-3">
          <Button look="primary">{isOvertaken ? 'Save mine over it' : 'Save'}</Button>
          <Button name="preview" value="1" formaction={`${action}#preview`}>
            Preview
          </Button>
          <ButtonLink href={links.package(owner, name)}>Cancel</ButtonLink>
        </div>
      </form>
      {/* What is too long to be saved is too long to be read here, too. */}
      {isPreview && !faults?.fields.readme && <Preview readme={typed.readme} />}
      <Section title="Delete">
        <p class="mb-3 prose-width">The package goes with all its versions and files. You will be asked once more.</p>
        <div class="flex flex-wrap gap-3">
          <ButtonLink href={links.package(owner, name, 'delete')} look="danger" icon="trash">
            Delete the package
          </ButtonLink>
          {its.versions > 1 && (
            <ButtonLink href={links.package(owner, name, 'delete-versions')} icon="versions">
              Delete many versions
            </ButtonLink>
          )}
        </div>
      </Section>
    </>
  )
}

function Preview({ readme }: { readme: string }) {
  return (
    <Section title="Preview" id="preview">
      <p class="quiet text-sm mb-4">As it will look. Nothing is saved yet.</p>
      {readme.trim() === '' ? (
        <p class="quiet">The README is empty.</p>
      ) : (
        <div class="panel p-5 markdown prose-width breaks" dir="auto">
          {raw(markdownToHtml(readme))}
        </div>
      )}
    </Section>
  )
}

/** What somebody else has made of it, beside what is typed. */
function Overtaken({ its }: { its: DescribedPackage }) {
  const texts = typedAs(its)
  const facts = [
    ['Description', texts.description],
    ['Homepage', texts.homepage],
    ['Repository', texts.repository_url],
    ['Labels', texts.labels],
  ] as const
  return (
    <Alert tone="warning">
      <p>
        Somebody else has changed this package since you opened the form, so nothing of yours is saved. This is how it
        is now; below is what you have typed. Save yours over it, or take over what you want to keep.
      </p>
      <dl class="facts mt-3">
        {facts.map(([term, value]) => (
          <>
            <dt>{term}</dt>
            <dd dir="auto">{value || <span class="quiet">none</span>}</dd>
          </>
        ))}
      </dl>
      <details class="mt-3" open={texts.readme.length < 2_000}>
        <summary class="font-medium">README as it is now</summary>
        <pre class="whitespace-pre-wrap breaks mt-2 max-h-96 overflow-y-auto" tabindex={0} dir="auto">
          {texts.readme || 'none'}
        </pre>
      </details>
    </Alert>
  )
}
