import { createHash } from 'node:crypto'
import { versionOrder } from '../../server/lib/version-order.ts'
import { Seeded } from '../../test/support/seeded.ts'

/** Rows of one table, as its columns are called. */
export interface Rows {
  table:
    | 'owners'
    | 'users'
    | 'tokens'
    | 'former_names'
    | 'organisations'
    | 'teams'
    | 'team_members'
    | 'packages'
    | 'package_texts'
    | 'versions'
    | 'blobs'
    | 'files'
    | 'jobs'
    | 'file_downloads'
    | 'version_downloads'
    | 'package_downloads'
    | 'quotas'
    | 'webhooks'
    | 'deliveries'
    | 'audit_events'
    | 'passkeys'
    | 'identities'
    | 'deploy_tokens'
    | 'package_grants'
  rows: Record<string, string | number | null>[]
}

/** Whom and what to ask for in a catalogue that holds this content. */
export interface Known {
  files: number
  packages: number
  versions: number
  /** The user that owns most. */
  owner: { id: number; key: string; tokenId: number; tokenSha256: string }
  /** The package with most versions; his. */
  largest: { id: number; key: string; versions: number }
  /** A part of the names of many of his packages, and the name of one that has few versions. */
  common: string
  rare: string
  /** The digest of bytes that some file has. */
  sha256: string
  /** Some of his files, from everywhere. */
  addresses: { package: string; version: string; file: string }[]
}

const batch = 5_000
/** Milliseconds since 1970; each version is a second younger than the one before. */
const begin = Date.UTC(2024, 0, 1)
const tokensOfOwner = 200

const words = ['agent', 'billing', 'cache', 'deploy', 'engine', 'frontend', 'gateway', 'index', 'kernel', 'ledger', 'mailer', 'node', 'parser', 'queue', 'router', 'search', 'toolchain', 'updater', 'viewer', 'worker'] // biome-ignore format: one line
const systems = ['linux-amd64', 'linux-arm64', 'darwin-arm64', 'windows-amd64', 'freebsd-amd64']
const kinds = ['.tar.gz', '.tar.gz.sha256', '.zip', '.deb', '.rpm']

interface PlannedVersion {
  package: number
  version: string
  files: number
}

const packageNameOf = (index: number) =>
  `${words[index % words.length]}-${words[Math.floor(index / words.length) % words.length]}-${index}`

/**
 * What a site of that many files holds, in batches, parents first: one owner has six packages of ten, the sizes of packages
 * follow Zipf's law, versions have 1 to 20 files and mostly few, and of fifty files one has bytes that another one has too. Ten
 * times as many packages, older than these, have one version and no file: searches have something to pass over.
 */
export function* contentOf(files: number): Generator<Rows, Known> {
  const random = new Seeded(files)
  const owners = Math.max(40, Math.round(files / 100))
  const packages = Math.max(10, Math.round(files / 100))
  const ownerOf = (index: number) => (index % 10 < 6 ? 1 : 2 + ((index * 7) % (owners - 1)))

  yield* people(owners)
  yield* waysIn(owners)
  yield* organisations(owners)
  yield* inBatches('packages', packages, (index) => ({
    id: index + 1,
    owner_id: ownerOf(index),
    name: packageNameOf(index),
    name_key: packageNameOf(index),
    created_at: begin,
  }))
  yield* inBatches('deploy_tokens', owners, (index) => ({
    id: index + 1,
    owner_id: index + 1,
    name: 'ci',
    sha256: digestOf(`deploy token ${index}`).slice(0, 64),
    last_eight: '01234567',
    scopes: 'write:package',
    packages: null,
    created_by: null,
    created_at: begin,
    expires_at: null,
    last_used_at: null,
    publisher_id: null,
    claims: null,
  }))
  // Every package names somebody else: a person, a team or a token.
  yield* inBatches('package_grants', packages, (index) => ({
    id: index + 1,
    owner_id: ownerOf(index),
    package_id: index + 1,
    user_id: index % 3 === 0 ? 2 + (index % (owners - 1)) : null,
    team_id: index % 3 === 1 ? 1 + (index % owners) : null,
    deploy_token_id: index % 3 === 2 ? 1 + (index % owners) : null,
    access: 1,
    created_at: begin,
  }))
  yield* inBatches('package_texts', Math.ceil(packages / 10), (index) => ({
    package_id: index * 10 + 1,
    description: `What ${packageNameOf(index * 10)} is for`,
    readme: '# Read me',
    homepage: '',
    repository_url: '',
    labels: '[]',
    updated_at: begin,
  }))

  const planned = plan(files, packages, random)
  yield* inBatches('versions', planned.length, (index) => {
    const version = planned[index] as PlannedVersion
    return {
      id: index + 1,
      package_id: version.package + 1,
      version: version.version,
      version_key: version.version,
      version_order: versionOrder(version.version),
      creator_id: ownerOf(version.package),
      created_at: begin + index * 1_000,
    }
  })

  yield* inBatches('packages', packages * 10, (index) => ({
    id: packages + index + 1,
    owner_id: ownerOf(index),
    name: `small-${index}`,
    name_key: `small-${index}`,
    created_at: begin,
  }))
  yield* inBatches('versions', packages * 10, (index) => ({
    id: planned.length + index + 1,
    package_id: packages + index + 1,
    version: '1.0.0',
    version_key: '1.0.0',
    version_order: versionOrder('1.0.0'),
    creator_id: ownerOf(index),
    created_at: begin - (index + 1) * 1_000,
  }))

  let blobs = 0
  const blobOf = new Int32Array(files)
  for (let index = 0; index < files; index += 1) {
    blobOf[index] = index % 50 === 49 ? (blobOf[index - 1 - random.below(40)] as number) : ++blobs
  }
  const waiting = Math.max(40, Math.round(blobs / 100))
  const apart = Math.floor(blobs / waiting)
  yield* inBatches('blobs', blobs, (index) => blobRow(index, index % apart !== 0))
  yield* inBatches('jobs', waiting, (index) => ({
    id: index + 1,
    kind: 'digests',
    subject: String(index * apart + 1),
    due_at: begin + index,
    created_at: begin + index,
  }))

  let version = 0
  let within = 0
  const addresses: Known['addresses'] = []
  const every = Math.max(1, Math.floor(files / 2_000))
  yield* inBatches('files', files, (index) => {
    if (within === (planned[version] as PlannedVersion).files) {
      version += 1
      within = 0
    }
    const { package: number, version: called } = planned[version] as PlannedVersion
    const name = `${packageNameOf(number)}-${called}-${systems[within % 5]}${kinds[Math.floor(within / 5)]}`
    within += 1
    if (index % every === 0 && ownerOf(number) === 1) {
      addresses.push({ package: packageNameOf(number), version: called, file: name })
    }
    return {
      id: index + 1,
      downloads: index % 3 === 0 ? index % 100 : 0,
      version_id: version + 1,
      name,
      name_key: name,
      blob_id: blobOf[index] as number,
      uploader_id: ownerOf(number),
      upload_id: uuidOf(`upload ${index}`),
      created_at: begin + version * 1_000 + within,
    }
  })
  yield* downloads(files, planned)
  yield* administration(owners, packages, ownerOf)

  return {
    files,
    packages,
    versions: planned.length,
    owner: { id: 1, key: 'owner-1', tokenId: 1, tokenSha256: digestOf('token 0').slice(0, 64) },
    largest: { id: 1, key: packageNameOf(0), versions: planned.filter((each) => each.package === 0).length },
    common: 'agent',
    rare: packageNameOf(packages - (packages % 10) - 8),
    sha256: digestOf('blob 7').slice(0, 64),
    addresses,
  }
}

/** Of the last days, of every third file. The sums of versions and packages are made of these (`fill.ts`). */
function* downloads(files: number, planned: readonly PlannedVersion[]): Generator<Rows> {
  const today = Math.floor(begin / 86_400_000)
  yield* inBatches('file_downloads', Math.ceil(files / 3), (index) => ({
    file_id: index * 3 + 1,
    day: today - (index % 5),
    downloads: ((index * 3) % 100) + 1,
  }))
  yield* inBatches('version_downloads', Math.ceil(planned.length / 3), (index) => ({
    version_id: index * 3 + 1,
    day: today - (index % 5),
    downloads: ((index * 7) % 100) + 1,
  }))
  const versions = new Map<number, number>()
  for (const { package: number } of planned) versions.set(number, (versions.get(number) ?? 0) + 1)
  const downloaded = [...versions]
  yield* inBatches('package_downloads', downloaded.length, (index) => ({
    package_id: (downloaded[index] as [number, number])[0] + 1,
    day: today - (index % 5),
    downloads: (downloaded[index] as [number, number])[1],
  }))
}

/** A webhook of each owner, and what is left behind: two deliveries and an event of the log for each package. */
function* administration(owners: number, packages: number, ownerOf: (index: number) => number): Generator<Rows> {
  const hooks = owners
  yield* inBatches('quotas', Math.ceil(owners / 10), (index) => ({
    owner_id: index * 10 + 1,
    versions: null,
    bytes: 1_000_000_000_000,
    file_size: null,
  }))
  yield* inBatches('webhooks', hooks, (index) => ({
    id: index + 1,
    owner_id: index + 1,
    type: 'stowage',
    url: `https://example.com/hooks/${index}`,
    seal_id: `hook-${index}`,
    secret: null,
    authorization_header: null,
    events: 'package',
    is_active: 1,
    created_at: begin,
    updated_at: begin,
  }))
  yield* inBatches('deliveries', packages * 2, (index) => ({
    id: index + 1,
    webhook_id: (index % hooks) + 1,
    uuid: uuidOf(`delivery ${index}`),
    action: 'created',
    change: '{}',
    state: index % 1_000 === 0 ? 'waiting' : 'delivered',
    attempts: 1,
    created_at: begin + index,
  }))
  yield* inBatches('audit_events', packages, (index) => ({
    id: index + 1,
    created_at: begin + index * 1_000,
    action: index % 10 === 0 ? 'token.created' : 'version.created',
    actor_id: ownerOf(index),
    actor_name: `owner-${ownerOf(index)}`,
    credential: 'token',
    token_last_eight: '01234567',
    address: '127.0.0.1',
    owner_id: ownerOf(index),
    owner_name: `owner-${ownerOf(index)}`,
    package_name: index % 10 === 0 ? null : packageNameOf(index),
    package_key: index % 10 === 0 ? null : packageNameOf(index),
  }))
}

function* people(owners: number): Generator<Rows> {
  yield* inBatches('owners', owners, (index) => ({
    id: index + 1,
    kind: 'user',
    name: `owner-${index + 1}`,
    name_key: `owner-${index + 1}`,
    visibility: index % 10 === 9 ? 'private' : 'public',
    created_at: begin,
  }))
  yield* inBatches('users', owners, (index) => ({
    id: index + 1,
    email: `owner-${index + 1}@example.com`,
    email_key: `owner-${index + 1}@example.com`,
    full_name: `Owner ${index + 1}`,
    password_hash: null,
    is_admin: 0,
    is_active: 1,
    is_restricted: 0,
    prohibit_login: 0,
    must_change_password: 0,
    last_login_at: null,
  }))
  yield* inBatches('tokens', tokensOfOwner + owners - 1, (index) => ({
    id: index + 1,
    user_id: Math.max(1, index - tokensOfOwner + 2),
    name: `token ${index}`,
    sha256: digestOf(`token ${index}`).slice(0, 64),
    last_eight: '01234567',
    scopes: 'write:package',
    created_at: begin,
    expires_at: null,
    last_used_at: null,
  }))
}

/** Half of the people come in by something else than a password. */
function* waysIn(people: number): Generator<Rows> {
  yield* inBatches('passkeys', Math.floor(people / 2), (index) => ({
    id: index + 1,
    user_id: 2 + index,
    credential_id: `credential-${index}`,
    public_key: '',
    user_handle: '',
    sign_count: 0,
    transports: '',
    is_backed_up: 0,
    name: 'Phone',
    created_at: begin,
    last_used_at: null,
  }))
  yield* inBatches('identities', Math.floor(people / 2), (index) => ({
    id: index + 1,
    user_id: 2 + index,
    issuer: 'https://id.example.com',
    subject: `subject-${index}`,
    label: `owner-${index + 2}`,
    seal_id: `seal-${index}`,
    refresh_token: null,
    checked_at: begin,
    lapsed_at: null,
    created_at: begin,
    last_used_at: null,
  }))
}

/** Beside as many people: as many organisations, with two teams each, and a former name of everybody. */
function* organisations(people: number): Generator<Rows> {
  const count = people
  const idOf = (index: number) => people + 1 + index
  yield* inBatches('former_names', people, (index) => ({
    name_key: `former-${index + 1}`,
    name: `former-${index + 1}`,
    owner_id: index + 1,
    created_at: begin,
  }))
  yield* inBatches('owners', count, (index) => ({
    id: idOf(index),
    kind: 'organisation',
    name: `organisation-${index + 1}`,
    name_key: `organisation-${index + 1}`,
    visibility: 'public',
    created_at: begin,
  }))
  yield* inBatches('organisations', count, (index) => ({
    id: idOf(index),
    full_name: '',
    email: null,
    repo_admin_change_team_access: 0,
  }))
  yield* inBatches('teams', count * 2, (index) => ({
    id: index + 1,
    organisation_id: idOf(Math.floor(index / 2)),
    name: index % 2 === 0 ? 'Owners' : 'release',
    name_key: index % 2 === 0 ? 'owners' : 'release',
    description: '',
    permission: index % 2 === 0 ? 'owner' : 'write',
    units_map: '{}',
    access: index % 2 === 0 ? 3 : 2,
    includes_all_repositories: 0,
    can_create_org_repo: 0,
  }))
  yield* inBatches('team_members', people, (index) => ({
    team_id: (index % (count * 2)) + 1,
    user_id: index + 1,
    organisation_id: idOf(Math.floor((index % (count * 2)) / 2)),
  }))
}

/** The versions of all packages, in the order in which they came: those of one package among those of others. */
function plan(files: number, packages: number, random: Seeded): PlannedVersion[] {
  const weights = Array.from({ length: packages }, (_, index) => 1 / (index + 1))
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  const versions: (PlannedVersion & { at: number })[] = []
  let left = files
  for (let index = packages - 1; index >= 0; index -= 1) {
    const share = Math.max(1, Math.round((files * (weights[index] as number)) / whole))
    let ofPackage = index === 0 ? left : Math.min(share, left - index)
    for (let number = 0; ofPackage > 0; number += 1) {
      const size = Math.min(ofPackage, 1 + Math.floor(20 * random.next() ** 2))
      const version = `${Math.floor(number / 100)}.${Math.floor(number / 10) % 10}.${number % 10}`
      versions.push({ package: index, version, files: size, at: random.next() })
      ofPackage -= size
      left -= size
    }
  }
  return versions.sort((a, b) => a.at - b.at)
}

function blobRow(index: number, isComplete: boolean): Rows['rows'][number] {
  const digest = digestOf(`blob ${index}`)
  return {
    id: index + 1,
    scope: '',
    sha256: digest.slice(0, 64),
    size: 1_000 + index,
    location: `${digest.slice(0, 4)}0123456789abcdef/${Math.floor(index / 4096)}/${digest.slice(64, 96)}`,
    md5: isComplete ? digest.slice(0, 32) : null,
    sha1: isComplete ? digest.slice(0, 40) : null,
    sha512: isComplete ? digest : null,
    state: 'live',
    created_at: begin + index,
  }
}

function digestOf(text: string): string {
  return createHash('sha512').update(text).digest('hex')
}

function uuidOf(text: string): string {
  return digestOf(text).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5')
}

function* inBatches(
  table: Rows['table'],
  count: number,
  row: (index: number) => Rows['rows'][number],
): Generator<Rows, void> {
  for (let from = 0; from < count; from += batch) {
    const length = Math.min(batch, count - from)
    yield { table, rows: Array.from({ length }, (_, offset) => row(from + offset)) }
  }
}
