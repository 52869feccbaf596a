import type { Generated, Kysely, Transaction } from 'kysely'

/**
 * The tables, as the newest migration leaves them. Times are milliseconds since 1970, sizes are bytes, flags are 0 or 1,
 * digests are lower-case hex: the same on every database. A `…_key` column holds the folded form that decides whether
 * two names are one (`registry/names.ts`); no database folds anything itself.
 */
export interface Schema {
  site: { key: string; value: string }
  owners: {
    id: Generated<number>
    kind: OwnerKind
    name: string
    name_key: string
    visibility: Visibility
    created_at: number
    description: Generated<string>
    website: Generated<string>
    location: Generated<string>
  }
  /** Names that an owner had before, or one who is gone: nobody else gets them until an administrator frees them. */
  former_names: { name_key: string; name: string; owner_id: number | null; created_at: number }
  users: {
    id: number
    email: string | null
    email_key: string | null
    full_name: string
    password_hash: string | null
    is_admin: Flag
    is_active: Flag
    is_restricted: Flag
    prohibit_login: Flag
    must_change_password: Flag
    last_login_at: number | null
    may_create_organisations: Generated<Flag>
    /** Encrypted; null where there is no confirmed second factor. */
    totp_secret: Generated<string | null>
    /** The time step of the last code that was used: none is taken twice. */
    totp_last_step: Generated<number | null>
    /** Since when the provider by which he signs in does not vouch for him any more: nothing of his is a credential. */
    suspended_at: Generated<number | null>
  }
  /** Who somebody is at an OpenID provider: (issuer, subject) is the identity. */
  identities: {
    id: Generated<number>
    user_id: number
    issuer: string
    subject: string
    /** What the provider calls him, to be shown. */
    label: string
    /** What the encrypted value is bound to. */
    seal_id: string
    /** Encrypted; null where the provider gave none. */
    refresh_token: string | null
    /** When the provider last vouched for him. */
    checked_at: number
    /** Since when it does not. */
    lapsed_at: number | null
    created_at: number
    last_used_at: number | null
  }
  /** Credentials of WebAuthn. Binary values are base64url. */
  passkeys: {
    id: Generated<number>
    user_id: number
    credential_id: string
    /** COSE. */
    public_key: string
    user_handle: string
    sign_count: number
    /** Names, apart by commas. */
    transports: string
    is_backed_up: Flag
    name: string
    created_at: number
    last_used_at: number | null
  }
  /** What may be shown once: the `jti` of a token, a challenge, a state. */
  used_once: { kind: string; sha256: string; expires_at: number }
  /** The organisation's half of an owner, as `users` is that of a person. */
  organisations: { id: number; full_name: string; email: string | null; repo_admin_change_team_access: Flag }
  teams: {
    id: Generated<number>
    organisation_id: number
    name: string
    name_key: string
    description: string
    permission: TeamPermission
    /** JSON: what the team may do with each kind of thing, such as `{"repo.packages":"write"}`. */
    units_map: string
    /** What follows for packages: 1 is a member, 2 may write, 3 owns the organisation. */
    access: 1 | 2 | 3
    includes_all_repositories: Flag
    can_create_org_repo: Flag
  }
  team_members: { team_id: number; user_id: number; organisation_id: number }
  /** A second factor before a code of it was confirmed. */
  totp_enrolments: { user_id: number; secret: string; created_at: number }
  /** Those that were not used yet. */
  recovery_codes: { user_id: number; sha256: string }
  /** Of browsers. */
  sessions: {
    id: Generated<number>
    user_id: number
    sha256: string
    created_at: number
    last_used_at: number
    /** The end in any case. */
    expires_at: number
    address: string
    agent: string
  }
  /** Links by which a person joins, or sets a new password; gone once they are used. */
  links: {
    id: Generated<number>
    kind: 'invitation' | 'password-reset'
    sha256: string
    /** With the secret key the code again, of which the hash is kept. */
    nonce: string
    /** Whose password it is. */
    user_id: number | null
    /** The team that whoever is invited joins. */
    team_id: number | null
    email: string | null
    full_name: string
    /** Null where the person asked for it himself. */
    created_by: number | null
    created_at: number
    expires_at: number
    /** Whether it is sent by mail. */
    mailed: Flag
  }
  tokens: {
    id: Generated<number>
    user_id: number
    name: string
    sha256: string
    last_eight: string
    scopes: string
    created_at: number
    expires_at: number | null
    last_used_at: number | null
    /** The token that made it, and with which it goes. */
    parent_id: Generated<number | null>
    /** JSON: the packages that it is limited to (`PackagePattern[]`); null: no limit. */
    packages: Generated<string | null>
  }
  /** Tokens that belong to an owner instead of a person. */
  deploy_tokens: {
    id: Generated<number>
    owner_id: number
    name: string
    sha256: string
    last_eight: string
    scopes: string
    /** JSON, as of `tokens`. */
    packages: string | null
    created_by: number | null
    created_at: number
    expires_at: number | null
    last_used_at: number | null
    /** The rule by which a job got it for an ID token; null of one that a person made. */
    publisher_id: number | null
    /** JSON: what that ID token said. */
    claims: string | null
  }
  /** Which jobs may publish at an owner without any stored secret. */
  publishers: {
    id: Generated<number>
    owner_id: number
    name: string
    issuer: string
    /** The one claim by which a rule is found, which nobody else can ever have: `repository_id=74`. */
    pinned: string
    /** JSON: what an ID token must say, by claim. */
    claims: string
    /** JSON, as of `tokens`. */
    packages: string
    created_by: number | null
    created_at: number
    last_used_at: number | null
  }
  packages: {
    id: Generated<number>
    owner_id: number
    name: string
    name_key: string
    created_at: number
    visibility: Generated<PackageVisibility>
  }
  /** Who may do what with a package, beside those who may by its owner: one of the three is not null. */
  package_grants: {
    id: Generated<number>
    /** Of the package. */
    owner_id: number
    package_id: number
    user_id: number | null
    team_id: number | null
    deploy_token_id: number | null
    /** 1 reads, 2 writes too. */
    access: 1 | 2
    created_at: number
  }
  /** What the ID token said of the job that published a file. */
  file_origins: { file_id: number; issuer: string; claims: string }
  versions: {
    id: Generated<number>
    package_id: number
    version: string
    version_key: string
    creator_id: number | null
    /** Whose token made it, where no person did. */
    creator_owner_id: Generated<number | null>
    created_at: number
    /** Where the version stands among others (`lib/version-order.ts`); null where the release before this one added it. */
    version_order: string | null
  }
  /** A line for each version in the lists of its owner and its package. The database keeps it by triggers, as it does the counts. */
  listings: {
    version_id: number
    owner_id: number
    package_id: number
    created_at: number
    name_key: string
    version_order: string
    /** Bytes of its files, also those that are stored once for several. */
    size: number
    /** Written once a minute, by no trigger. */
    downloads: Generated<number>
  }
  /** What a package has, and an owner; no row, or 0, where there is nothing. `packages` are those that have a version. */
  package_counts: {
    package_id: number
    owner_id: number
    versions: number
    files: number
    bytes: number
    /** All that there ever were, also of versions that are gone. */
    downloads: Generated<number>
    /** When its newest version was made; 0 where it has none. */
    newest_at: number
    /** Where that version stands among all (`version_order`); '' where there is none. */
    newest_order: string
  }
  owner_counts: { owner_id: number; versions: number; packages: number; files: number; bytes: number }
  /** What its people say of a package. A package with such a row outlives its last version. `labels` is a JSON array. */
  package_texts: {
    package_id: number
    description: string
    readme: string
    homepage: string
    repository_url: string
    labels: string
    updated_at: number
  }
  /** How often something was downloaded on a day, which is counted from 1970. */
  file_downloads: { file_id: number; day: number; downloads: number }
  version_downloads: { version_id: number; day: number; downloads: number }
  package_downloads: { package_id: number; day: number; downloads: number }
  /** What an owner may have: null is what the site says (`site`, key `quotas`), -1 is as much as he likes. */
  quotas: { owner_id: number; versions: number | null; bytes: number | null; file_size: number | null }
  /** What uploads that are under way will take of a quota, at most. */
  reservations: {
    upload_id: string
    /** Of the process that takes the upload: a reservation ends with it. */
    lease_id: string
    owner_id: number
    package_key: string
    version_key: string
    bytes: number
    created_at: number
  }
  webhooks: {
    id: Generated<number>
    /** Null: for the whole site. */
    owner_id: number | null
    type: string
    url: string
    /** What the encrypted values are bound to. */
    seal_id: string
    /** Encrypted, as is the header. */
    secret: string | null
    authorization_header: string | null
    /** Names, apart by commas. */
    events: string
    is_active: Flag
    created_at: number
    updated_at: number
  }
  /** What is sent to webhooks, and what came of it. */
  deliveries: {
    id: Generated<number>
    webhook_id: number
    uuid: string
    action: string
    /** What has happened, as it was then: JSON. */
    change: string
    state: DeliveryState
    attempts: number
    created_at: number
    /** Of the last attempt, all that follows. Milliseconds. */
    attempted_at: number | null
    duration: number | null
    /** Without the path, which may be a secret. */
    request_origin: string | null
    /** JSON objects, without what is secret. */
    request_headers: string | null
    /** Written before the first attempt: every attempt sends the same bytes. */
    request_body: string | null
    response_status: number | null
    response_headers: string | null
    response_body: string | null
    error: string | null
  }
  /** Who did what: rows are added and, when they are old, removed; never changed. Names are as they were then. */
  audit_events: {
    id: Generated<number>
    created_at: number
    action: string
    actor_id: number | null
    actor_name: string | null
    credential: string | null
    token_last_eight: string | null
    address: string | null
    /** Where it was done. */
    owner_id: number | null
    owner_name: string | null
    package_name: string | null
    package_key: string | null
    version: string | null
    file: string | null
    /** To whom or to what, where it is none of these. */
    subject: string | null
    /** JSON. */
    details: string | null
  }
  files: {
    id: Generated<number>
    version_id: number
    name: string
    name_key: string
    blob_id: number
    uploader_id: number | null
    /** Whose token published it, where no person did. */
    uploader_owner_id: Generated<number | null>
    upload_id: string
    created_at: number
    /** Written once a minute. */
    downloads: Generated<number>
  }
  blobs: {
    id: Generated<number>
    /** Where the digest is unique: '' for the whole site, or an owner's id while each owner has his own bytes. */
    scope: string
    sha256: string
    size: number
    location: string
    md5: string | null
    sha1: string | null
    sha512: string | null
    state: BlobState
    created_at: number
  }
  /** Locations whose bytes nothing refers to any more, and since when. `size` is null where nobody knew it. */
  doomed: { location: string; since: number; size: Generated<number | null> }
  /** While a row is here (a backup that runs), no bytes are removed. */
  holds: { id: Generated<number>; reason: string; created_at: number }
  leases: {
    id: string
    kind: 'process' | 'upload'
    /** The node of the process: its next process knows by that which leases nobody holds any more. */
    holder: string | null
    expires_at: number
    dead_since: number | null
  }
  jobs: {
    id: Generated<number>
    kind: string
    /** What the job is about; one job of a kind for each subject. */
    subject: string
    due_at: number
    /** How often it has failed. */
    attempts: Generated<number>
    last_error: string | null
    /** The lease of the process that works on it; null while nobody does. */
    claimed_by: string | null
    /** How often it was asked for: whoever finishes it sees by that whether it was asked for again meanwhile. */
    asks: Generated<number>
    /** Since when nobody tries any more; an administrator decides what becomes of it. */
    given_up_at: number | null
    created_at: number
  }
}

export type OwnerKind = 'user' | 'organisation'
export type Visibility = 'public' | 'limited' | 'private'
/** Private: for who may write to the owner, and whom the package names. */
export type PackageVisibility = 'inherit' | 'private'
export type TeamPermission = 'none' | 'read' | 'write' | 'admin' | 'owner'
export type BlobState = 'live' | 'quarantined' | 'missing'
export type DeliveryState = 'waiting' | 'delivered' | 'given-up'
export type Flag = 0 | 1

/** For reading, outside any transaction. */
export type Db = Kysely<Schema>
/** Inside a transaction. A function that takes a `Db` takes a `Tx` too. */
export type Tx = Kysely<Schema> | Transaction<Schema>
