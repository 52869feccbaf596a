import { z } from 'zod'
import { auditCredentials } from '../../access/audit.ts'
import { givenPermissions, teamUnits } from '../../access/team-rights.ts'
import { jobStates } from '../../registry/jobs.ts'
import { deliveryStates } from '../../registry/webhooks.ts'

/*
 * What the JSON API answers with, for the functions of `shapes.ts` and for `/api/v1/openapi.json`. A field that is here is
 * always there; new ones may be added, none is removed.
 */

/** RFC 3339, as `shapes.ts` writes it. */
export const time = z.string().meta({ format: 'date-time' })
const id = z.int()
const visibility = z.enum(['public', 'limited', 'private'])

/** What clients of this protocol expect, and what has no meaning here. */
const unused = 'Has no meaning here.'
const emptyText = z.string().meta({ description: `Empty. ${unused}` })
const zero = z.int().meta({ description: `0. ${unused}` })
const no = z.boolean().meta({ description: `false. ${unused}` })

export const apiError = z
  .object({
    message: z.string().meta({ description: 'What is wrong, and what to do, in a sentence for people.' }),
    url: z.string().meta({ description: 'Where this API is described.' }),
  })
  .meta({ id: 'APIError', description: 'Why something was refused.' })

export const serverVersion = z
  .object({
    version: z.string().meta({
      description: 'The release of Gitea whose protocol this is, then `+stowage-` and the version of this server.',
      examples: ['1.27.0+stowage-0.1.0'],
    }),
  })
  .meta({ id: 'ServerVersion' })

export const user = z
  .object({
    id: id.meta({ description: '-1 for somebody who is gone: he is shown as `Ghost`.' }),
    login: z.string().meta({ description: 'The name.' }),
    login_name: emptyText,
    source_id: zero,
    full_name: z.string(),
    email: z.string().meta({ description: 'A placeholder for callers who are not signed in.' }),
    avatar_url: emptyText,
    html_url: z.string().meta({ description: 'His page.' }),
    language: emptyText,
    is_admin: z.boolean().meta({ description: 'false for anybody but the user and administrators.' }),
    last_login: time.meta({
      description: '`0001-01-01T00:00:00Z` for never, and for anybody but the user and administrators.',
    }),
    created: time,
    restricted: z.boolean().meta({ description: 'false for anybody but the user and administrators.' }),
    active: z.boolean().meta({ description: 'false for anybody but the user and administrators.' }),
    prohibit_login: z.boolean().meta({ description: 'false for anybody but the user and administrators.' }),
    location: z.string(),
    website: z.string(),
    description: z.string(),
    visibility: visibility.meta({
      description: 'Who may see him: everybody, everybody who is signed in, or nobody else.',
    }),
    followers_count: zero,
    following_count: zero,
    starred_repos_count: zero,
    username: z.string().meta({ description: 'The same as `login`.' }),
  })
  .meta({ id: 'User', description: 'A user; or an organisation, where an owner of packages is shown.' })

export const userSettings = z
  .object({
    full_name: z.string(),
    description: z.string(),
    website: z.string(),
    location: z.string(),
    visibility,
    email: z.string().meta({ description: 'Empty for none.' }),
    language: emptyText,
    theme: emptyText,
    diff_view_style: emptyText,
    hide_email: no,
    hide_activity: no,
  })
  .meta({ id: 'UserSettings', description: 'What somebody says of himself.' })

export const accessToken = z
  .object({
    id,
    name: z.string(),
    sha1: z.string().meta({ description: 'The token itself, in the answer that makes it; empty ever after.' }),
    token_last_eight: z.string(),
    scopes: z.array(z.string()),
    created_at: time,
    last_used_at: time.nullable().meta({ description: 'A minute late at most.' }),
    expires_at: time.nullable().meta({ description: 'null for never.' }),
    packages: z.array(z.string()).nullable().meta({
      description:
        'Patterns of the packages that it is for, with the names that their owners have now; null for all packages. Those of owners who are gone, or hidden from whoever asks, are left out.',
    }),
  })
  .meta({ id: 'AccessToken' })

export const deployToken = accessToken
  .extend({
    packages: z.array(z.string()).nullable().meta({
      description: "Patterns of the owner's packages that it is for; null for all.",
    }),
    created_by: z.string().nullable().meta({ description: 'Who made it; null where he is gone.' }),
  })
  .meta({ id: 'DeployToken', description: 'A token that belongs to an owner, and stays when people leave.' })

export const callingToken = accessToken
  .extend({
    user: z.string().nullable().meta({ description: 'Whose it is; null of a deploy token.' }),
    owner: z.string().nullable().meta({ description: 'The user or organisation whose deploy token it is; else null.' }),
  })
  .meta({ id: 'CallingToken', description: 'The token that the request came with.' })

export const totpStatus = z
  .object({ enabled: z.boolean(), recovery_codes_left: z.int() })
  .meta({ id: 'SecondFactor', description: 'Whether signing in by password takes a code too.' })

export const identity = z
  .object({
    id,
    provider: z
      .string()
      .nullable()
      .meta({ description: 'By its name in the settings; null where it is not there any more.' }),
    issuer: z.string(),
    subject: z.string().meta({ description: 'Who it is at the issuer.' }),
    label: z.string().meta({ description: 'What the provider calls him.' }),
    created_at: time,
    last_used_at: time.nullable(),
    checked_at: time.meta({ description: 'When the provider was last heard of him.' }),
    lapsed_at: time
      .nullable()
      .meta({ description: 'Since when the provider does not vouch for him; null while it does.' }),
    checked: z.boolean().meta({ description: 'Whether the provider is asked again while he is away.' }),
  })
  .meta({ id: 'Identity', description: 'Who somebody is at an OpenID provider by which people sign in.' })

export const suspension = z
  .object({ suspended_at: time.nullable().meta({ description: 'null while he is not.' }) })
  .meta({ id: 'Suspension', description: 'Whether a provider has suspended an account.' })

export const passkey = z
  .object({
    id,
    name: z.string(),
    created_at: time,
    last_used_at: time.nullable(),
    backed_up: z
      .boolean()
      .meta({ description: 'Whether its authenticator keeps a copy elsewhere, as password managers do.' }),
  })
  .meta({ id: 'Passkey', description: 'What somebody signs in with, alone or beside the password.' })

export const totpEnrolment = z
  .object({
    secret: z.string().meta({ description: 'For an authenticator that takes it by hand (Base32).' }),
    url: z.string().meta({ description: '`otpauth://…`, for an authenticator on the same device.' }),
    qr_svg: z.string().meta({ description: 'The same as a picture to scan.' }),
  })
  .meta({ id: 'SecondFactorEnrolment' })

export const recoveryCodes = z
  .object({ recovery_codes: z.array(z.string()) })
  .meta({ id: 'RecoveryCodes', description: 'Each works once in the place of a code; they are told this once.' })

export const organization = z
  .object({
    id,
    name: z.string(),
    full_name: z.string(),
    email: z.string().meta({ description: 'Empty for none.' }),
    avatar_url: emptyText,
    description: z.string(),
    website: z.string(),
    location: z.string(),
    visibility: visibility.meta({ description: 'Who may see it: everybody, everybody who is signed in, its members.' }),
    repo_admin_change_team_access: z.boolean().meta({ description: 'Kept, without effect here.' }),
    username: z.string().meta({ description: 'The same as `name`.' }),
  })
  .meta({ id: 'Organization' })

const permission = z.enum([...givenPermissions, 'owner'])

export const team = z
  .object({
    id,
    name: z.string(),
    description: z.string(),
    organization,
    includes_all_repositories: z.boolean().meta({ description: 'Kept, without effect here.' }),
    permission: permission.meta({ description: '`owner` is the team `Owners` alone.' }),
    units: z
      .array(z.enum(teamUnits))
      .meta({ description: 'What it may do something with; `repo.packages` counts here.' }),
    units_map: z
      .partialRecord(z.enum(teamUnits), permission)
      .meta({ description: 'What it may do with each; `repo.packages` counts here.' }),
    can_create_org_repo: z.boolean().meta({ description: 'Kept, without effect here.' }),
  })
  .meta({ id: 'Team' })

export const packageVersion = z
  .object({
    id: id.meta({ description: 'Of the version.' }),
    owner: user,
    repository: z.null().meta({ description: 'Packages belong to owners here.' }),
    creator: user.meta({ description: 'Who put the first file into the version.' }),
    type: z.literal('generic'),
    name: z.string(),
    version: z.string(),
    html_url: z.string().meta({ description: 'Its page.' }),
    created_at: time,
  })
  .meta({ id: 'Package', description: 'One version of a package.' })

const digest = z.string().nullable()

export const packageFile = z
  .object({
    id,
    size: z.int().meta({ description: 'Bytes.' }),
    name: z.string(),
    md5: digest.meta({
      description: 'Hexadecimal, in lower case, like the other digests; null while it is not known yet.',
    }),
    sha1: digest,
    sha256: digest,
    sha512: digest,
    downloads: z.int().meta({ description: 'How often it was downloaded. A minute late at most.' }),
  })
  .meta({ id: 'PackageFile' })

const packageVisibility = z.enum(['inherit', 'private']).meta({
  description:
    '`inherit`: seen by who sees its owner. `private`: by who may write to the owner, and whom the package names.',
})

const givenPermission = z.enum(['read', 'write'])
const namedHolder = z.object({ id, name: z.string(), permission: givenPermission })

export const packageAccess = z
  .object({
    visibility: packageVisibility,
    users: z.array(namedHolder),
    teams: z.array(namedHolder),
    deploy_tokens: z.array(namedHolder),
  })
  .meta({
    id: 'PackageAccess',
    description: 'Who sees a package, and who may do what with it beside what he may by its owner.',
  })

export const packageMetadata = z
  .object({
    name: z.string(),
    description: z.string(),
    readme: z.string().meta({ description: 'Markdown.' }),
    homepage: z.string().meta({ description: 'An http or https address, or empty.' }),
    repository_url: z.string().meta({ description: 'An http or https address, or empty.' }),
    labels: z.array(z.string()),
    versions: z.int(),
    files: z.int(),
    size: z.int().meta({ description: 'Bytes, also those that are stored once for several files.' }),
    downloads: z.int().meta({ description: 'Of all time, also of versions that are gone.' }),
    created_at: time,
    updated_at: time.meta({
      description: 'When its newest version was made or, if later, something else was said of it.',
    }),
    visibility: packageVisibility,
    can_write: z.boolean().meta({ description: 'Whether the caller may publish there, and delete.' }),
  })
  .meta({ id: 'PackageMetadata', description: 'What is said of a package, and what it has.' })

const downloads = z.int().meta({ description: 'How often.' })

export const packageDownloads = z
  .object({
    total: z.int().meta({ description: 'Of all time.' }),
    days: z
      .array(z.object({ date: z.string().meta({ format: 'date' }), downloads }))
      .meta({ description: 'Every day, the oldest first.' }),
    files: z
      .array(z.object({ id, name: z.string(), downloads }))
      .optional()
      .meta({ description: 'Of a version: of all time, by name.' }),
  })
  .meta({ id: 'Downloads' })

export const deletedVersions = z
  .object({
    dry_run: z.boolean(),
    versions: z
      .array(z.object({ version: z.string(), files: z.int(), size: z.int().meta({ description: 'Bytes.' }) }))
      .meta({ description: 'The first 1,000, by name.' }),
    total_versions: z.int(),
    files: z.int().meta({ description: 'Of all these versions.' }),
    size: z.int().meta({ description: 'Bytes, also those that are stored once for several files.' }),
    unknown: z.array(z.string()).meta({ description: 'Names that no version has.' }),
  })
  .meta({ id: 'DeletedVersions', description: 'Versions that were deleted, or would be.' })

export const foundPackage = packageVersion
  .extend({
    versions: z.int().meta({ description: 'How many there are of the package.' }),
    files: z.int().meta({ description: 'Of all its versions.' }),
    size: z.int().meta({ description: 'Bytes of all its files.' }),
    downloads: z.int().meta({ description: 'Of all its files, also of those that are gone.' }),
  })
  .meta({ id: 'FoundPackage', description: 'A package, by its newest version.' })

export const foundVersion = packageVersion
  .extend({
    files: z.array(packageFile).meta({ description: 'Its files with these digests, by name; 100 at most.' }),
  })
  .meta({ id: 'FoundVersion', description: 'A version that holds a file with these digests.' })

const link = {
  id,
  kind: z.enum(['invitation', 'password-reset']),
  created_by: z.string().nullable().meta({ description: 'null where nobody signed in made it.' }),
  created_at: time,
  expires_at: time,
  mailed: z.boolean().meta({ description: 'Whether it went out by mail.' }),
}
const linkUrl = z.string().meta({ description: 'The link itself, told this once.' })

export const invitation = z
  .object({
    ...link,
    email: z.string().meta({ description: 'Empty for none.' }),
    full_name: z.string(),
    team: team.nullable().meta({ description: 'The team that whoever accepts it will be in.' }),
  })
  .meta({ id: 'Invitation' })

export const newInvitation = invitation
  .extend({ url: linkUrl })
  .meta({ id: 'NewInvitation', description: 'An invitation, with the link to send.' })

export const passwordReset = z
  .object({ ...link, user: z.string().nullable().meta({ description: 'Whose password it sets.' }), url: linkUrl })
  .meta({ id: 'PasswordReset', description: 'A link by which somebody sets himself a new password.' })

export const reservedName = z
  .object({
    name: z.string(),
    owner: z.string().nullable().meta({ description: 'Who had it, by his name of today; null where he is gone.' }),
    since: time,
  })
  .meta({ id: 'ReservedName', description: 'A name that a user or organisation had before. Nobody else gets it.' })

export const hook = z
  .object({
    id,
    type: z.string().meta({ description: 'As it was made: `gitea` or `stowage`, which get the same.' }),
    branch_filter: emptyText,
    config: z
      .object({ url: z.string(), content_type: z.literal('json') })
      .meta({ description: 'Where it leads. The secret is never shown.' }),
    events: z.array(z.string()),
    authorization_header: z.string().meta({ description: 'Empty: it is never shown.' }),
    active: z.boolean(),
    updated_at: time,
    created_at: time,
  })
  .meta({ id: 'Hook', description: 'Who is told when something is published or deleted.' })

export const trustedPublisher = z
  .object({
    id,
    name: z.string(),
    issuer: z.string().meta({ description: 'Who signs the ID tokens.' }),
    claims: z.record(z.string(), z.string()).meta({ description: 'What such a token must say.' }),
    packages: z.array(z.string()).meta({ description: 'Patterns of the packages that such a job publishes.' }),
    created_by: z.string().nullable().meta({ description: 'Who made it; null where he is gone.' }),
    created_at: time,
    last_used_at: time.nullable(),
  })
  .meta({ id: 'TrustedPublisher', description: 'Which jobs may publish without a stored secret.' })

export const fileOrigin = z
  .object({
    file: z.string(),
    issuer: z.string().meta({ description: 'Who vouches for the claims.' }),
    claims: z.record(z.string(), z.string()).meta({
      description:
        'What it said of the job: `repository`, `ref`, `sha`, `run_id` and others, as the CI system calls them.',
    }),
    created_at: time,
  })
  .meta({ id: 'FileOrigin', description: 'Which job published a file.' })

export const delivery = z
  .object({
    id,
    uuid: z.string().meta({ description: 'The same in every attempt: `X-Gitea-Delivery`.' }),
    event: z.literal('package'),
    action: z.string(),
    state: z.enum(deliveryStates),
    attempts: z.int(),
    created_at: time,
    attempted_at: time.nullable().meta({ description: 'The last time.' }),
    next_attempt_at: time.nullable().meta({
      description: 'While it waits: not before this, nor before older ones of the same webhook.',
    }),
    duration_ms: z.int().nullable().meta({ description: 'Of the last attempt.' }),
    status: z.int().nullable().meta({ description: 'What the last attempt was answered with.' }),
    error: z.string().nullable().meta({ description: 'Why the last attempt failed; null where it did not.' }),
  })
  .meta({ id: 'WebhookDelivery', description: 'What a webhook is told, and what came of it.' })

export const wholeDelivery = delivery
  .extend({
    request: z.object({
      origin: z.string().nullable().meta({ description: 'Where it went; the path may be a secret.' }),
      headers: z.record(z.string(), z.string()).nullable().meta({ description: 'Without what is secret.' }),
      body: z.string().nullable().meta({ description: 'Null before the first attempt; from then on the same.' }),
    }),
    response: z
      .object({
        status: z.int(),
        headers: z.record(z.string(), z.string()),
        body: z.string().meta({
          description: 'The first MiB; of all but the newest hundred deliveries the first thousand characters.',
        }),
      })
      .nullable(),
  })
  .meta({ id: 'WebhookDeliveryDetails' })

export const job = z
  .object({
    id,
    kind: z.string(),
    subject: z.string(),
    state: z.enum(jobStates),
    attempts: z.int(),
    due_at: time,
    last_error: z.string().nullable(),
    given_up_at: time.nullable(),
    created_at: time,
  })
  .meta({ id: 'Job', description: 'Work that no request waits for.' })

const storedBytes = z.object({ blobs: z.int(), bytes: z.int() })

const sweepRecord = z
  .object({
    at: time.meta({ description: 'When it ended.' }),
    took_ms: z.int(),
    doomed: storedBytes.meta({ description: 'What had been published, and whose grace was over.' }),
    leftover: storedBytes.meta({ description: 'What uploads had left that did not end.' }),
    error: z.string().nullable().meta({ description: 'Why not everything went that should.' }),
  })
  .meta({ id: 'Sweep', description: 'What a sweep removed.' })

export const storage = z
  .object({
    referenced: storedBytes.meta({ description: 'What files have, equal bytes once.' }),
    doomed: storedBytes.meta({ description: 'What nothing refers to any more, and goes when its grace is over.' }),
    leftover: storedBytes.meta({
      description: 'What uploads left that did not end, or of which nobody knows yet whether they did.',
    }),
    complete: z.boolean().meta({ description: 'Whether all of `doomed` and `leftover` was looked at.' }),
    files: z
      .object({ count: z.int(), bytes: z.int() })
      .meta({ description: 'Each file by itself, also where several share their bytes.' }),
    grace_seconds: z.number().meta({ description: 'How long doomed bytes stay.' }),
    hold: z.string().nullable().meta({ description: 'Why nothing doomed is removed now, such as a backup.' }),
    last_sweep: sweepRecord.nullable().meta({
      description: 'The last one. Of several within a minute that removed nothing, the first.',
    }),
    last_freed: sweepRecord.nullable().meta({ description: 'The last one that removed something.' }),
    next_sweep_at: time.nullable(),
    disk: z
      .object({ free: z.int(), total: z.int() })
      .nullable()
      .meta({ description: 'Bytes of the disk with the blobs; null where the store has none.' }),
    error: z.string().nullable().meta({ description: 'Why the blob store could not be asked.' }),
  })
  .meta({ id: 'Storage', description: 'What lies in the blob store, and what became of what was deleted.' })

export const auditEvent = z
  .object({
    id,
    created_at: time.meta({ description: 'To the millisecond.' }),
    action: z.string().meta({ description: 'Such as `token.created`. More may come.' }),
    actor: z.object({ id, name: z.string() }).nullable().meta({
      description: 'Who did it, as he was called then; null for the server itself and for who has no account.',
    }),
    credential: z.enum(auditCredentials).nullable().meta({ description: 'What it was done with.' }),
    token_last_eight: z.string().nullable().meta({ description: 'The end of that token.' }),
    address: z.string().nullable().meta({ description: 'Where it came from.' }),
    owner: z
      .object({ id, name: z.string() })
      .nullable()
      .meta({ description: 'The account or organisation at which it was done, as it was called then.' }),
    package: z.string().nullable(),
    version: z.string().nullable(),
    file: z.string().nullable(),
    subject: z.string().nullable().meta({ description: 'To whom or to what: a member, a team, the name of a token.' }),
    details: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]))
      .meta({ description: 'What else there is to say. `x_before` and `x` are how something was and is.' }),
  })
  .meta({ id: 'AuditEvent', description: 'Something that somebody did.' })

const limitOf = (what: string) =>
  z
    .int()
    .nullable()
    .meta({ description: `${what}; null is no limit.` })

const quotaNumbers = z
  .object({
    versions: limitOf('Versions'),
    bytes: limitOf('Bytes of all files'),
    file_size: limitOf('Bytes of one file'),
  })
  .meta({ id: 'Quota', description: 'How much there may be at most.' })

export const siteQuotas = z
  .object({
    site: quotaNumbers.meta({ description: 'For all owners together; `file_size` for every file of everybody.' }),
    owners: quotaNumbers.meta({ description: 'For each owner who has no number of his own.' }),
  })
  .meta({ id: 'SiteQuotas' })

const ownNumbers = {
  versions: z.int().nullable().meta({ description: 'null is the default of all owners, -1 no limit.' }),
  bytes: z.int().nullable(),
  file_size: z.int().nullable(),
}

export const ownQuota = z
  .object({ owner: z.string(), ...ownNumbers })
  .meta({ id: 'OwnQuota', description: 'What is set for one owner alone.' })

export const shownQuota = z
  .object({
    owner: z.string(),
    ...ownNumbers,
    effective: quotaNumbers.meta({ description: 'What binds whoever publishes there and is no administrator.' }),
  })
  .meta({ id: 'OwnerQuota', description: 'What is set for an owner, and what binds there.' })

export const usage = z
  .object({
    owner: z.string(),
    versions: z.int(),
    packages: z.int(),
    files: z.int(),
    size: z.int().meta({ description: 'Bytes of every file, also of those whose bytes are equal.' }),
    reserved_versions: z.int().nullable().meta({ description: 'New versions of uploads that are under way.' }),
    reserved_size: z.int().nullable().meta({ description: 'Bytes that such uploads have reserved.' }),
    quota: quotaNumbers.nullable(),
  })
  .meta({ id: 'Usage', description: 'What an owner has.' })

export const packageUsage = z
  .object({ name: z.string(), versions: z.int(), files: z.int(), size: z.int(), downloads: z.int() })
  .meta({ id: 'PackageUsage', description: 'What a package has.' })

const driftedNumber = z
  .object({
    of: z.enum(['version', 'package', 'owner']),
    name: z.string().meta({ description: 'Such as `ada`, `ada/tool` or `ada/tool/1.0`.' }),
    number: z.enum(['versions', 'packages', 'files', 'bytes']),
    kept: z.int(),
    counted: z.int(),
  })
  .meta({ id: 'UsageDrift', description: 'A number that was not what is there.' })

export const usageCheck = z
  .object({
    last: z
      .object({
        at: time,
        took_ms: z.int(),
        versions: z.int(),
        packages: z.int(),
        owners: z.int(),
        drift: z.array(driftedNumber).meta({ description: 'The first 20.' }),
        corrected: z.int().meta({ description: 'How many numbers were wrong, and are right now.' }),
      })
      .nullable()
      .meta({ description: 'The last one that ended; null before the first.' }),
  })
  .meta({ id: 'UsageCheck', description: 'What counting everything through came to.' })
