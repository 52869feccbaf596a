import { ButtonLink } from '../components/forms.tsx'
import { withQuery } from '../links.ts'
import { useSite } from '../site.ts'

/** Every provider by which one may come in. They are links: what a form sends may not lead to another site. */
export function ProviderButtons({ next, isAlone }: { next: string; isAlone?: boolean }) {
  const { links, providers } = useSite()
  if (providers.length === 0) return null
  return (
    <div class={isAlone ? '' : 'border-t border-base-300 mt-6 pt-5'}>
      <ul class="grid gap-3">
        {providers.map(({ name, title }) => (
          <li class="grid">
            <ButtonLink
              href={withQuery(links.path(`/user/oidc/${name}`), { next: next === links.to() ? undefined : next })}
              look={isAlone && providers.length === 1 ? 'primary' : 'plain'}
              icon="signIn"
            >
              Sign in with {title}
            </ButtonLink>
          </li>
        ))}
      </ul>
    </div>
  )
}
