import type { FoundPackage } from '../../registry/search.ts'
import { fetchFile, firstPublish } from '../components/commands.ts'
import { FirstSteps } from '../components/first-steps.tsx'
import { Button, ButtonLink } from '../components/forms.tsx'
import { Icon } from '../components/icon.tsx'
import { PackageList } from '../components/package-list.tsx'
import { Columns, Empty, Section } from '../components/parts.tsx'
import { Command } from '../components/values.tsx'
import { useSite } from '../site.ts'

/** What can be fetched by one command. */
export interface Example {
  owner: string
  package: string
  version: string
  file: string
}

/** The search field that a page is about. */
export function BigSearch({ query = '', autofocus = false }: { query?: string; autofocus?: boolean }) {
  const { links } = useSite()
  return (
    <search>
      <form action={links.search()} class="flex gap-2 max-w-2xl">
        <label class="input grow">
          <Icon name="search" />
          <span class="sr-only">Search packages by name, or files by digest</span>
          <input
            type="search"
            name="q"
            value={query}
            placeholder="Name of a package, or digest of a file"
            autofocus={autofocus}
          />
        </label>
        <Button>Search</Button>
      </form>
    </search>
  )
}

/** For somebody who has signed in: what is new, and where his own things are. */
export function HomeOf(props: {
  packages: readonly FoundPackage[]
  organisations: readonly string[]
  hasMore: boolean
}) {
  const { packages, organisations, hasMore } = props
  const { links, visitor } = useSite()
  const name = visitor?.account.name ?? ''
  return (
    <>
      <h1 class="sr-only">Stowage</h1>
      <div class="flex flex-wrap items-center justify-between gap-3">
        <div class="grow">
          <BigSearch />
        </div>
        <ButtonLink href={links.owner(name, 'upload')} look="primary" icon="upload">
          Upload
        </ButtonLink>
      </div>
      <Columns aside={<Yours name={name} organisations={organisations} hasMore={hasMore} />}>
        <Section title="Recent releases" action={<a href={links.search()}>All packages</a>}>
          {packages.length > 0 ? (
            <PackageList packages={packages} />
          ) : (
            <Empty title="Nothing that you may see has been published yet">
              <p class="quiet prose-width">Upload a file, or ask the owner of a package to let you in.</p>
            </Empty>
          )}
        </Section>
      </Columns>
    </>
  )
}

function Yours({ name, organisations, hasMore }: { name: string; organisations: readonly string[]; hasMore: boolean }) {
  const { links } = useSite()
  return (
    <Section title="Yours">
      <ul class="grid gap-2 mb-5">
        <li>
          <Owner name={name} icon="user" />
        </li>
        {organisations.map((organisation) => (
          <li>
            <Owner name={organisation} icon="organisation" />
          </li>
        ))}
      </ul>
      {hasMore && (
        <p class="mb-5">
          <a href={links.path('/user/organisations')}>All your organisations</a>
        </p>
      )}
      {organisations.length === 0 && (
        <ButtonLink href={links.path('/org/create')} icon="add">
          New organisation
        </ButtonLink>
      )}
    </Section>
  )
}

function Owner({ name, icon }: { name: string; icon: 'user' | 'organisation' }) {
  const { links } = useSite()
  return (
    <a href={links.owner(name)} class="line inline-flex items-start gap-2 breaks">
      <Icon name={icon} class="mt-1" />
      <span class="breaks">{name}</span>
    </a>
  )
}

/** For a stranger: what this is, and what can be had without signing in. */
export function HomeForStranger({
  packages,
  example,
}: {
  packages: readonly FoundPackage[]
  example: Example | undefined
}) {
  const { links, address } = useSite()
  return (
    <>
      <div class="grid grid-cols-1 gap-4 mb-6">
        <h1>Files that you ship, kept in order</h1>
        <WhatThisIs />
        <BigSearch />
      </div>
      {example && (
        <Section title="Fetch the newest file">
          <Command text={fetchFile(address, example)} />
        </Section>
      )}
      <Section title="Recent releases" action={<a href={links.search()}>All packages</a>}>
        {packages.length > 0 ? (
          <PackageList packages={packages} />
        ) : (
          <Empty title="Nothing is public here">
            <p class="quiet prose-width">The packages of this site are shown to those who have signed in.</p>
            <SignIn />
          </Empty>
        )}
      </Section>
    </>
  )
}

/** For a stranger at a site that shows nobody anything before he has signed in. */
export function HomeBehindSignIn() {
  return (
    <div class="prose-width grid grid-cols-1 gap-4 py-4">
      <h1>Files that you ship, kept in order</h1>
      <WhatThisIs />
      <p>This site is for those who have an account.</p>
      <SignIn />
    </div>
  )
}

function WhatThisIs() {
  return (
    <p class="prose-width">
      Stowage is a registry for generic packages: any files, under a name and a version. Publish them with one request,
      and fetch them from anywhere with another.
    </p>
  )
}

function SignIn() {
  const { links, signUpIsOpen } = useSite()
  return (
    <div class="flex flex-wrap gap-3">
      <ButtonLink href={links.signIn()} look="primary" icon="signIn">
        Sign in
      </ButtonLink>
      {signUpIsOpen && <ButtonLink href={links.path('/user/sign-up')}>Make an account</ButtonLink>}
    </div>
  )
}

/** On a site on which nothing has been published yet: from the printed password to a first file. */
export function Welcome() {
  const { links, address, visitor } = useSite()
  const name = visitor?.account.name
  return (
    <div class="max-w-2xl mx-auto py-4">
      <h1 class="mb-2">Welcome to Stowage</h1>
      <p class="mb-8 prose-width">
        A registry for generic packages: any files, under a name and a version. This one is new and holds nothing yet;
        three steps lead to a first file.
      </p>
      <FirstSteps here={name === undefined ? 1 : 3} />
      {name === undefined ? (
        <div class="panel p-5 grid grid-cols-1 gap-3">
          <h2>Sign in as the administrator</h2>
          <p class="prose-width">
            The server printed the name and the password at its first start, in the terminal or log where it runs, or
            the name of the file that has the password.
          </p>
          <SignIn />
        </div>
      ) : (
        <div class="panel p-5 grid grid-cols-1 gap-3">
          <h2>Upload your first file</h2>
          <p class="prose-width">Any file will do. Choose it in the browser:</p>
          <p>
            <ButtonLink href={links.owner(name, 'upload')} look="primary" icon="upload">
              Upload
            </ButtonLink>
          </p>
          <p class="prose-width">Or publish one from a terminal. It asks for your password:</p>
          <Command text={firstPublish(address, { user: name, owner: name })} />
          {(visitor?.user.totp_secret !== null || visitor.user.has_passkeys === 1) && (
            <p class="quiet text-sm prose-width">
              As you sign in with more than your password, give a{' '}
              <a href={links.path('/user/settings/tokens')}>token</a> as the password.
            </p>
          )}
        </div>
      )}
    </div>
  )
}
