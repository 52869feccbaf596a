import type { PublisherRule } from '../../access/publishers.ts'
import type { Issuer } from '../../lib/issuers.ts'
import { ButtonLink } from '../components/forms.tsx'
import { Alert, Columns } from '../components/parts.tsx'
import { Ago, Command } from '../components/values.tsx'
import { Fact, Facts } from '../packages/facts.tsx'
import { useSite } from '../site.ts'
import { type Addresses, PublisherPage } from './frame.tsx'
import { Patterns } from './list.tsx'
import { snippetFor } from './snippets.ts'
import { issuerAt } from './words.ts'

/** A rule: what it wants, and what a job does to publish by it. */
export function PublisherView({
  at,
  rule,
  issuers,
}: {
  at: Addresses
  rule: PublisherRule
  issuers: readonly Issuer[]
}) {
  const { address } = useSite()
  const { kind, isTrusted } = issuerAt(issuers, rule.issuer)
  const { file, text } = snippetFor(kind, { address, owner: at.owner, packages: rule.packages })
  return (
    <PublisherPage at={at} rule={rule} title={rule.name}>
      {!isTrusted && (
        <Alert tone="warning">
          {rule.issuer} is not trusted here any more, so no job gets a token by this rule. Whoever runs this server
          names issuers in STOWAGE_OIDC_PUBLISHERS.
        </Alert>
      )}
      <Columns aside={<About at={at} rule={rule} issuers={issuers} />}>
        <h2 class="mb-3">The job</h2>
        <p class="mb-3 prose-width">
          {file === undefined ? (
            'Have the job do this'
          ) : (
            <>
              Paste this into <code class="breaks">{file}</code>
            </>
          )}
          , with your own build and file in the place of <code>tool.tar.gz</code>. There is no secret in it.
        </p>
        <Command text={text} what="snippet" />
        <p class="quiet mt-3 prose-width">
          The ID token's audience is <code class="breaks">{address}</code>. It is good for one exchange, and the token
          that the job gets for it publishes for 15 minutes. <a href={`${address}/api/swagger`}>The API</a> describes
          the exchange.
        </p>
      </Columns>
    </PublisherPage>
  )
}

function About({ at, rule, issuers }: { at: Addresses; rule: PublisherRule; issuers: readonly Issuer[] }) {
  const { name } = issuerAt(issuers, rule.issuer)
  return (
    <>
      <Facts>
        <Fact name="Jobs of">
          <span class="breaks">{name}</span>
        </Fact>
        {Object.entries(rule.claims).map(([claim, value]) => (
          <Fact name={claim}>
            <code class="breaks">{value}</code>
          </Fact>
        ))}
        <Fact name="Packages">
          <Patterns of={rule.packages} />
        </Fact>
        <Fact name="Made">
          <Ago at={rule.createdAt} />
          {rule.maker !== null && <> by {rule.maker}</>}
        </Fact>
        <Fact name="Last used">
          {rule.lastUsedAt === null ? <span class="quiet">Never</span> : <Ago at={rule.lastUsedAt} />}
        </Fact>
      </Facts>
      <div class="flex flex-wrap gap-2 mt-5">
        <ButtonLink href={at.edit(rule.id)} icon="edit" size="sm">
          Change
        </ButtonLink>
        <ButtonLink href={at.remove(rule.id)} icon="trash" size="sm">
          Delete…
        </ButtonLink>
      </div>
    </>
  )
}
