import type { PackageGrant } from '../access/grant.ts'
import { type FileOriginRow, fileOrigins } from '../catalogue/publishers.ts'
import { showVersion } from './lists.ts'
import type { RegistryParts } from './parts.ts'

/** A file that a job published, and what the issuer of its ID token said of it. */
export interface FileOrigin {
  file: string
  issuer: string
  claims: Readonly<Record<string, string>>
  createdAt: number
}

interface Page {
  offset: number
  limit: number
}

/** Which jobs published the files of a version; those that people published are left out. */
export async function versionOrigins(
  parts: RegistryParts,
  grant: PackageGrant<'read'>,
  version: string,
  page: Page,
): Promise<{ origins: FileOrigin[]; total: number }> {
  const { version: shown } = await showVersion(parts, grant, version)
  const { origins, total } = await fileOrigins(parts.catalogue.read, shown.id, page)
  return { origins: origins.map(originFrom), total }
}

export function originFrom({ file, issuer, claims, created_at }: FileOriginRow): FileOrigin {
  return { file, issuer, claims: JSON.parse(claims) as Record<string, string>, createdAt: created_at }
}
