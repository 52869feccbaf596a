/** Somebody who tells who people are, by OpenID Connect. */
export interface OidcProvider {
  /** In lower case: it stands in addresses. */
  name: string
  /** What people read. */
  title: string
  /** As its tokens have it in `iss`, to the letter. */
  issuer: string
  clientId: string
  /** Undefined: it knows this server by its address alone. */
  clientSecret: string | undefined
  /** What is asked for, apart by spaces. */
  scopes: string
  /** The claim that proposes a user name. */
  usernameClaim: string
  /** Who is in none of these does not come in; undefined: everybody does. */
  allowedGroups: readonly string[] | undefined
  /** Who is in it runs the site, and of its people nobody else does; undefined: it says nothing about that. */
  adminGroup: string | undefined
  groupTeams: readonly GroupTeam[]
  /** Whether somebody who has no account yet gets one. */
  autoRegister: boolean
}

/** Who is in the group is in the team. */
export interface GroupTeam {
  group: string
  organisation: string
  team: string
}
