import type { PropsWithChildren } from 'hono/jsx'
import { Icon, Mark } from './components/icon.tsx'
import { Alert } from './components/parts.tsx'
import { type Notice, textOf } from './notices.ts'
import type { PageOptions } from './page.tsx'
import { type Theme, themes, useSite } from './site.ts'

/** The frame of every page: head, top line, what it is about, bottom line. */
export function Layout({
  title,
  scripts = [],
  hasSearch = false,
  notice,
  children,
}: PropsWithChildren<PageOptions & { notice: Notice | undefined }>) {
  const { links, assets, theme } = useSite()
  return (
    <html lang="en" data-theme={theme === 'system' ? undefined : theme}>
      <head>
        <meta charset="utf-8" />
        <title>{title === 'Stowage' ? title : `${title} · Stowage`}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={theme === 'system' ? 'light dark' : theme} />
        <link rel="icon" type="image/svg+xml" href={links.asset(assets.mark)} />
        {assets.fonts.map((font) => (
          <link rel="preload" as="font" type="font/woff2" href={links.asset(font)} crossorigin="anonymous" />
        ))}
        <link rel="stylesheet" href={links.asset(assets.style)} />
        {(['page', ...scripts] as const).map((name) => (
          <script type="module" src={links.asset(assets.scripts[name])}></script>
        ))}
      </head>
      <body>
        <a class="skip-link" href="#content">
          To the content
        </a>
        <Top hasSearch={!hasSearch} />
        <main id="content" class="w-full max-w-6xl mx-auto px-4 sm:px-6 py-6 sm:py-8 grow" tabindex={-1}>
          {notice && <Alert tone="success">{textOf(notice)}</Alert>}
          {children}
        </main>
        <Bottom />
      </body>
    </html>
  )
}

function Top({ hasSearch }: { hasSearch: boolean }) {
  const { links, visitor, here } = useSite()
  const [page = ''] = here.split('?')
  // Of what stands below /user only one's own account is a place to come back to.
  const isPlace = page !== links.to() && !page.startsWith(links.path('/user/'))
  return (
    <header class="border-b border-base-300">
      <div class="max-w-6xl mx-auto px-4 sm:px-6 py-3 flex flex-wrap items-center gap-x-5 gap-y-3">
        <a
          href={links.to()}
          class="inline-flex items-center gap-2.5 font-medium text-lg"
          aria-label="Stowage, to the first page"
        >
          <Mark />
          Stowage
        </a>
        {hasSearch && (
          <search class="order-last w-full sm:order-none sm:w-auto grow sm:max-w-md">
            <form action={links.search()}>
              <label class="input input-sm w-full">
                <Icon name="search" />
                <span class="sr-only">Search packages</span>
                <input type="search" name="q" placeholder="Search packages" />
              </label>
            </form>
          </search>
        )}
        <nav aria-label="You" class="ml-auto flex items-center gap-2">
          {visitor ? (
            <AccountMenu name={visitor.account.name} isAdmin={visitor.account.isAdmin} />
          ) : (
            !page.startsWith(links.path('/user/login')) && (
              <a class="btn btn-sm btn-outline border-base-300" href={links.signIn(isPlace ? here : undefined)}>
                <Icon name="signIn" /> Sign in
              </a>
            )
          )}
        </nav>
      </div>
    </header>
  )
}

function AccountMenu({ name, isAdmin }: { name: string; isAdmin: boolean }) {
  const { links } = useSite()
  const entries = [
    { text: 'Your packages', href: links.owner(name), icon: 'package' },
    { text: 'Upload', href: links.owner(name, 'upload'), icon: 'upload' },
    { text: 'Account', href: links.path('/user/settings'), icon: 'account' },
    { text: 'Organisations', href: links.path('/user/organisations'), icon: 'organisation' },
    ...(isAdmin ? [{ text: 'Site', href: links.to('-', 'admin'), icon: 'admin' } as const] : []),
  ] as const
  return (
    <details class="dropdown dropdown-end -mr-3" data-menu>
      <summary class="btn btn-sm btn-ghost max-w-48">
        <Icon name="account" />
        <span class="truncate">{name}</span>
        <Icon name="chevron" />
      </summary>
      <ul class="menu dropdown-content panel bg-base-100 z-10 w-52 mt-1 p-1.5">
        {entries.map(({ text, href, icon }) => (
          <li>
            <a href={href}>
              <Icon name={icon} /> {text}
            </a>
          </li>
        ))}
        <li class="border-t border-base-300 mt-1.5 pt-1.5">
          <form method="post" action={links.path('/user/logout')} class="p-0">
            <button type="submit" class="flex gap-2 items-center w-full px-3 py-1.5 cursor-pointer">
              <Icon name="signOut" /> Sign out
            </button>
          </form>
        </li>
      </ul>
    </details>
  )
}

const themeNames: Record<Theme, string> = { system: 'As the system', light: 'Light', dark: 'Dark' }

function Bottom() {
  const { links, version, theme, here } = useSite()
  return (
    <footer class="border-t border-base-300 mt-8">
      <div class="max-w-6xl mx-auto px-4 sm:px-6 py-5 flex flex-wrap items-center gap-x-6 gap-y-3 text-sm quiet">
        <span class="tabular">Stowage {version}</span>
        <a href={links.path('/api/swagger')}>API</a>
        <form method="post" action={links.to('-', 'theme')} class="ml-auto -mr-2 flex items-center gap-2">
          <input type="hidden" name="next" value={here} />
          <Icon name="theme" />
          <fieldset class="flex">
            <legend class="sr-only">Colours</legend>
            {themes.map((one) => (
              <button
                type="submit"
                name="theme"
                value={one}
                aria-pressed={one === theme ? 'true' : 'false'}
                class={`px-2 py-1 cursor-pointer border-b-2 ${one === theme ? 'border-accent text-base-content' : 'border-transparent'}`}
              >
                {themeNames[one]}
              </button>
            ))}
          </fieldset>
        </form>
      </div>
    </footer>
  )
}
