import { type Context, Hono } from 'hono'
import { ownerAt } from '../../access/grant.ts'
import { type OwnerGrant, ownerGrant } from '../../access/owner-grant.ts'
import type { Verb } from '../../access/rules.ts'
import { pageOf } from '../../http/api/answers.ts'
import type { HttpParts } from '../../http/parts.ts'
import { Problem } from '../../problems.ts'
import { showOwner } from '../../registry/lists.ts'
import { blankToken, deployTokenAsked, type TokenTyped, tokenTyped } from '../account/token-form.ts'
import { OwnerHead, ownerStanding } from '../components/places.tsx'
import { attempt, checked, type Faults, Form, fieldNamed } from '../forms.ts'
import { saidAgain, takesPasswordAgain } from '../own-password.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { type Addresses, DeleteDeployToken, DeployTokenList, MadeDeployToken, NewDeployToken } from './pages.tsx'

const base = '/:owner/-/deploy-tokens'

const nothingTyped: TokenTyped = { ...blankToken, scopes: ['write:package'] }

/** Tokens that belong to an owner, and stay when people leave. */
export function deployTokenPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)

  const place = async <V extends Verb>(c: Context<PageEnv>, verb: V) => {
    const owner = c.req.param('owner') ?? ''
    const resolved = await visitOf(c).resolve({ owner, package: '', version: '', file: '' })
    const grant = ownerGrant(verb, resolved.caller, ownerAt(resolved))
    const below = (...more: string[]) => links().owner(grant.owner.name, 'deploy-tokens', ...more)
    const at: Addresses = {
      owner: grant.owner.name,
      all: below(),
      fresh: below('new'),
      remove: (id) => below(String(id), 'delete'),
    }
    return { grant, at }
  }
  const log = ({ owner, caller }: OwnerGrant<'write'>, name: string, what: string) =>
    parts.log.info(
      { 'package.owner': owner.name, 'deploy_token.name': name, 'user.name': caller.account.name },
      `${what} the deploy token ${name} of ${owner.name}`,
    )
  const showForm = async (c: Context<PageEnv>, at: Addresses, typed: TokenTyped, faults?: Faults) => {
    const takesPassword = await takesPasswordAgain(parts, visitOf(c))
    return render(
      c,
      { title: 'New deploy token', status: faults?.status ?? 200 },
      <NewDeployToken at={at} typed={typed} faults={faults} takesPassword={takesPassword} />,
    )
  }

  return new Hono<PageEnv>()
    .get(base, async (c) => {
      const { grant, at } = await place(c, 'read')
      const { owner, caller } = grant
      const page = pageOf(new URL(c.req.url))
      const { tokens, total } = await parts.deployTokens.list(grant, page)
      return render(
        c,
        { title: `Deploy tokens of ${owner.name}` },
        <>
          <OwnerHead
            owner={await showOwner(parts.registry, owner)}
            {...ownerStanding(caller, owner)}
            here="deploy-tokens"
          />
          <DeployTokenList at={at} tokens={tokens} total={total} page={page} />
        </>,
      )
    })
    .get(`${base}/new`, async (c) => showForm(c, (await place(c, 'write')).at, nothingTyped))
    .post(`${base}/new`, async (c) => {
      const { grant, at } = await place(c, 'write')
      const visit = visitOf(c)
      const form = await Form.of(c.req.raw)
      const typed = tokenTyped(form)
      const { data, faults } = checked(deployTokenAsked(visit.now), typed)
      if (faults) return showForm(c, at, typed, faults)
      if (await takesPasswordAgain(parts, visit)) {
        const said = await saidAgain(c.env, visit.signedIn(), form.text('password'))
        if (said.faults) return showForm(c, at, typed, said.faults)
      }
      const made = await attempt(
        () => parts.deployTokens.create(grant, data),
        fieldNamed(['name', 'scopes', 'packages']),
      )
      if (made.faults) return showForm(c, at, typed, made.faults)
      log(grant, data.name, 'Made')
      return render(c, { title: 'New deploy token' }, <MadeDeployToken at={at} {...made.done} />)
    })
    .get(`${base}/:id/delete`, async (c) => {
      const { grant, at } = await place(c, 'write')
      const id = c.req.param('id') ?? ''
      const token = await parts.deployTokens.show(grant, id)
      const named = await parts.deployTokens.packagesNaming(grant, id)
      return render(
        c,
        { title: `Delete the deploy token ${token.name}` },
        <DeleteDeployToken at={at} token={token} named={named} />,
      )
    })
    .post(`${base}/:id/delete`, async (c) => {
      const { grant, at } = await place(c, 'write')
      const { id, name } = await parts.deployTokens.show(grant, c.req.param('id') ?? '')
      if (!(await Form.of(c.req.raw)).has('delete')) {
        throw new Problem('unprocessable', 'Say that the deploy token is to be deleted.')
      }
      await parts.deployTokens.remove(grant, String(id))
      log(grant, name, 'Deleted')
      return goTo(at.all, 'deploy-token-deleted')
    })
}
