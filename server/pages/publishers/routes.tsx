import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { ownerAt } from '../../access/grant.ts'
import { type OwnerGrant, ownerGrant } from '../../access/owner-grant.ts'
import { pinOf } from '../../access/publisher-rules.ts'
import type { PublisherRule } from '../../access/publishers.ts'
import type { Verb } from '../../access/rules.ts'
import { pageOf } from '../../http/api/answers.ts'
import { publisherName } from '../../http/api/publishers.ts'
import type { HttpParts } from '../../http/parts.ts'
import type { Issuer } from '../../lib/issuers.ts'
import { Problem } from '../../problems.ts'
import { showOwner } from '../../registry/lists.ts'
import { OwnerHead, ownerStanding } from '../components/places.tsx'
import { attempt, checked, type Faults, Form, sentence } from '../forms.ts'
import { goTo, linksOf, type Render } from '../page.tsx'
import { type PageEnv, visitOf } from '../visit.ts'
import { ChooseIssuer, DeletePublisher, PublisherForm } from './form.tsx'
import type { Addresses } from './frame.tsx'
import { PublisherList } from './list.tsx'
import { PublisherView } from './rule.tsx'
import { claimsTyped, ownFields, type PublisherValues, patternsTyped, valuesOf } from './words.ts'

const base = '/:owner/-/publishers'

const nothingTyped: PublisherValues = {
  ...{ name: '', issuer: '', pin: '', ref: '', environment: '', workflow_ref: '', others: '', packages: '' },
}

/** Which jobs may publish at an owner without a stored secret. */
export function publisherPages(parts: HttpParts, render: Render): Hono<PageEnv> {
  const links = linksOf(parts)
  const trusted = () => parts.publishers.issuers

  const place = async <V extends Verb>(c: Context<PageEnv>, verb: V) => {
    const owner = c.req.param('owner') ?? ''
    const resolved = await visitOf(c).resolve({ owner, package: '', version: '', file: '' })
    const grant = ownerGrant(verb, resolved.caller, ownerAt(resolved))
    const below = (...more: string[]) => links().owner(grant.owner.name, 'publishers', ...more)
    const at: Addresses = {
      owner: grant.owner.name,
      all: below(),
      fresh: below('new'),
      one: (id) => below(String(id)),
      edit: (id) => below(String(id), 'edit'),
      remove: (id) => below(String(id), 'delete'),
    }
    return { grant, at }
  }
  const one = async <V extends Verb>(c: Context<PageEnv>, verb: V) => {
    const { grant, at } = await place(c, verb)
    return { grant, at, rule: await parts.publishers.show(grant, c.req.param('id') ?? '') }
  }
  /** The one that is chosen, or the only one. */
  const chosen = (url: string): Issuer | undefined =>
    trusted().find((issuer) => issuer.url === url) ?? (trusted().length === 1 ? trusted()[0] : undefined)
  const log = ({ owner, caller }: OwnerGrant<'write'>, name: string, what: string) =>
    parts.log.info(
      { 'package.owner': owner.name, 'publisher.name': name, 'user.name': caller.account.name },
      `${what} the trusted publisher ${name} of ${owner.name}`,
    )
  const showForm = (
    c: Context<PageEnv>,
    at: Addresses,
    { rule, issuer, values, faults }: Shown & { rule: PublisherRule | undefined },
  ) =>
    render(
      c,
      { title: rule ? `Change ${rule.name}` : 'New trusted publisher', status: faults?.status ?? 200 },
      <PublisherForm at={at} rule={rule} issuer={issuer} values={values} faults={faults} />,
    )
  const askToDelete = (
    c: Context<PageEnv>,
    { at, rule, typed = '', faults }: { at: Addresses; rule: PublisherRule; typed?: string; faults?: Faults },
  ) =>
    render(
      c,
      { title: `Delete ${rule.name}`, status: faults?.status ?? 200 },
      <DeletePublisher at={at} rule={rule} typed={typed} faults={faults} />,
    )
  /** That of a rule, as it is shown and changed; a rule whose issuer nobody trusts is changed no more. */
  const issuerOf = (rule: PublisherRule): Issuer => {
    const issuer = trusted().find(({ url }) => url === rule.issuer)
    if (issuer) return issuer
    throw new Problem('forbidden', `${rule.issuer} is not trusted here any more: this rule can only be deleted.`)
  }

  return new Hono<PageEnv>()
    .get(base, async (c) => {
      const { grant, at } = await place(c, 'read')
      const page = pageOf(new URL(c.req.url))
      const { publishers, total } = await parts.publishers.list(grant, page)
      const { owner, caller } = grant
      return render(
        c,
        { title: `Trusted publishers of ${owner.name}` },
        <>
          <OwnerHead
            owner={await showOwner(parts.registry, owner)}
            {...ownerStanding(caller, owner)}
            here="publishers"
          />
          <PublisherList at={at} issuers={trusted()} publishers={publishers} total={total} page={page} />
        </>,
      )
    })
    .get(`${base}/new`, async (c) => {
      const { at } = await place(c, 'write')
      const issuer = chosen(c.req.query('issuer') ?? '')
      if (issuer) return showForm(c, at, { rule: undefined, issuer, values: { ...nothingTyped, issuer: issuer.url } })
      if (trusted().length === 0) return goTo(at.all)
      return render(c, { title: 'New trusted publisher' }, <ChooseIssuer at={at} issuers={trusted()} />)
    })
    .post(`${base}/new`, async (c) => {
      const { grant, at } = await place(c, 'write')
      const values = typedIn(await Form.of(c.req.raw))
      const issuer = chosen(values.issuer)
      if (!issuer) throw new Problem('unprocessable', 'That issuer is not trusted here.')
      const { wanted, faults } = read(issuer, values)
      if (faults) return showForm(c, at, { rule: undefined, issuer, values, faults })
      const tried = await attempt(() => parts.publishers.create(grant, wanted))
      if (tried.faults)
        return showForm(c, at, { rule: undefined, issuer, values, faults: atField(issuer, tried.faults) })
      log(grant, tried.done.name, 'Made')
      return goTo(at.one(tried.done.id), 'publisher-made')
    })
    .get(`${base}/:id`, async (c) => {
      const { at, rule } = await one(c, 'read')
      return render(c, { title: rule.name }, <PublisherView at={at} rule={rule} issuers={trusted()} />)
    })
    .get(`${base}/:id/edit`, async (c) => {
      const { at, rule } = await one(c, 'write')
      const issuer = issuerOf(rule)
      return showForm(c, at, { rule, issuer, values: valuesOf(issuer.kind, rule) })
    })
    .post(`${base}/:id/edit`, async (c) => {
      const { grant, at, rule } = await one(c, 'write')
      const issuer = issuerOf(rule)
      const values = typedIn(await Form.of(c.req.raw))
      const { wanted, faults } = read(issuer, values)
      if (faults) return showForm(c, at, { rule, issuer, values, faults })
      const tried = await attempt(() => parts.publishers.change(grant, String(rule.id), wanted))
      if (tried.faults) return showForm(c, at, { rule, issuer, values, faults: atField(issuer, tried.faults) })
      log(grant, tried.done.name, 'Changed')
      return goTo(at.one(rule.id), 'publisher-changed')
    })
    .get(`${base}/:id/delete`, async (c) => askToDelete(c, await one(c, 'write')))
    .post(`${base}/:id/delete`, async (c) => {
      const { grant, at, rule } = await one(c, 'write')
      const typed = (await Form.of(c.req.raw)).text('confirm')
      if (typed.trim() !== rule.name) {
        const faults = { status: 422, fields: { confirm: `Type ${rule.name} to delete this publisher.` } }
        return askToDelete(c, { at, rule, typed, faults })
      }
      await parts.publishers.remove(grant, String(rule.id))
      log(grant, rule.name, 'Deleted')
      return goTo(at.all, 'publisher-deleted')
    })
}

interface Shown {
  issuer: Issuer
  values: PublisherValues
  faults?: Faults | undefined
}

function typedIn(form: Form): PublisherValues {
  const names = Object.keys(nothingTyped) as (keyof PublisherValues)[]
  return { ...nothingTyped, ...Object.fromEntries(names.map((name) => [name, form.text(name)])) }
}

const named = z.object({ name: publisherName })

function read(issuer: Issuer, values: PublisherValues) {
  const { claims, wrong } = claimsTyped(issuer.kind, values)
  const { data, faults } = checked(named, { name: values.name })
  const fields: Record<string, string> = { ...faults?.fields }
  if (wrong !== undefined) fields.others = `"${wrong}" says nothing: write claim=value, each claim once.`
  if (!data || wrong !== undefined) return { faults: { status: 422, fields } }
  return { wanted: { ...data, issuer: issuer.url, claims, packages: patternsTyped(values.packages) } }
}

/** A refusal that names the field of the JSON API stands at the field of the form. */
function atField({ kind }: Issuer, faults: Faults): Faults {
  const [, name = '', text = ''] =
    faults.form?.match(/^(name|packages|claims|claims\.[^:]+(?:\.[^:]+)*): (.*)$/is) ?? []
  if (name === '') return faults
  const claim = name.replace(/^claims\.?/i, '')
  const isClaim = /^claims/i.test(name)
  const own = ownFields(kind).find((field) => field === claim)
  const field = !isClaim ? name.toLowerCase() : claim === pinOf(kind).claim ? 'pin' : (own ?? 'others')
  const told = field === 'others' && claim ? `${claim} ${text}` : text
  return { status: faults.status, fields: { [field]: sentence(told) } }
}
