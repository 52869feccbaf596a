import type { Issuer } from '../../lib/issuers.ts'
import type { FileOrigin } from '../../registry/origins.ts'
import { Icon } from '../components/icon.tsx'
import { issuerAt } from '../publishers/words.ts'
import { counted, shortened } from '../words.ts'
import { Away, Fact, Facts } from './facts.tsx'
import { jobAddress, jobsOf } from './jobs.ts'

/** Jobs that are shown; a version seldom has more than one. */
const mostShown = 3

/** Which jobs published the files of a version, as the issuers of their ID tokens vouch for it. */
export function Origins({ origins, issuers }: { origins: readonly FileOrigin[]; issuers: readonly Issuer[] }) {
  const jobs = jobsOf(origins)
  if (jobs.length === 0) return null
  return (
    <section class="mt-8" id="origins">
      <h2 class="mb-2">Published by a job</h2>
      {jobs.slice(0, mostShown).map(({ issuer, claims, files }) => {
        const address = jobAddress(issuer, claims)
        const { repository = claims.project_path, ref, sha, environment } = claims
        return (
          <div class="mb-5">
            <Facts>
              <Fact name="Vouched for">
                <span class="breaks">{issuerAt(issuers, issuer).name}</span>
              </Fact>
              {repository !== undefined && (
                <Fact name="Repository">
                  <bdi class="breaks">{repository}</bdi>
                </Fact>
              )}
              {ref !== undefined && (
                <Fact name="Ref">
                  <code class="breaks">{ref}</code>
                </Fact>
              )}
              {sha !== undefined && (
                <Fact name="Commit">
                  <code class="breaks" title={sha}>
                    {shortened(sha, 8)}
                  </code>
                </Fact>
              )}
              {environment !== undefined && (
                <Fact name="Environment">
                  <bdi class="breaks">{environment}</bdi>
                </Fact>
              )}
              {address !== undefined && (
                <Fact name="Job">
                  <Away href={address} />
                </Fact>
              )}
              <Fact name="Files">{String(files)}</Fact>
            </Facts>
            <details class="text-sm mt-2">
              <summary class="quiet inline-flex items-center gap-1.5 py-0.5">
                <Icon name="chevron" /> All that is known of it
              </summary>
              <dl class="grid gap-1.5 mt-1.5">
                {Object.entries({ iss: issuer, ...claims }).map(([claim, value]) => (
                  <div>
                    <dt class="quiet breaks">{claim}</dt>
                    <dd class="breaks">
                      <code class="breaks">{value}</code>
                    </dd>
                  </div>
                ))}
              </dl>
            </details>
          </div>
        )
      })}
      {jobs.length > mostShown && <p class="quiet">And by {counted(jobs.length - mostShown, 'other job')}.</p>}
    </section>
  )
}
