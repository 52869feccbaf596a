import type { Logger } from 'pino'
import type { Resolved } from '../../access/access.ts'
import { actorOf, type Publisher } from '../../access/caller.ts'
import { type Grant, packageGrant } from '../../access/grant.ts'
import { Problem } from '../../problems.ts'
import { type Address, addressKeys, readableFile } from '../../registry/download.ts'
import { publish } from '../../registry/publish.ts'
import { removeFile, removeVersion } from '../../registry/remove.ts'
import type { Calling } from '../callers.ts'
import { logFailure } from '../failures.ts'
import type { HttpParts } from '../parts.ts'
import { fileResponse } from './download.ts'
import type { HotDownloads, Keep } from './hot-downloads.ts'
import { uploadFrom } from './upload.ts'

/** `/api/packages/{owner}/generic/…`: `segments` is what follows `/api/packages`, decoded once. */
export async function packagesRoute(
  parts: HttpParts,
  request: Request,
  segments: readonly string[],
  calling: Calling,
  hot: HotDownloads | undefined,
): Promise<Response> {
  const [owner = '', type, name = '', version = '', file] = segments
  if (type !== 'generic' || segments.length < 4 || segments.length > 5) throw new Problem('not-found', 'Not found.')
  const address = { owner, package: name, version, file: file ?? '' }
  return file === undefined
    ? versionRoute(parts, request, address, calling)
    : fileRoute(parts, request, address, calling, hot)
}

async function fileRoute(
  parts: HttpParts,
  request: Request,
  address: Address,
  calling: Calling,
  hot: HotDownloads | undefined,
): Promise<Response> {
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      const keep = hot?.begin(request, address, calling.peer)
      return download(parts, request, await calling.resolve(addressKeys(address)), keep)
    }
    case 'PUT': {
      const resolved = await calling.resolve(addressKeys(address))
      const leave = packageGrant('write', resolved)
      await publish(parts.registry, leave, { ...uploadFrom(request, address), taken: resolved.found?.file })
      logPublished(parts.log, leave, address)
      return new Response(null, { status: 201 })
    }
    case 'DELETE': {
      const resolved = await calling.resolve(addressKeys(address))
      const leave = packageGrant('write', resolved)
      await removeFile(parts.registry, leave, address)
      parts.log.info(eventOf(address, leave.caller), `Removed ${pathOf(address)}`)
      return new Response(null, { status: 204 })
    }
    default:
      throw methodNotAllowed('GET, HEAD, PUT, DELETE')
  }
}

/** A download that nobody need wait for, by whoever brings no credentials; undefined where it is another one. */
export function downloadNow(
  parts: HttpParts,
  request: Request,
  address: Address,
  calling: Calling,
  hot: HotDownloads,
): Response | Promise<Response> | undefined {
  if (request.method !== 'GET' || !calling.isAnonymous()) return undefined
  const keep = hot.begin(request, address, calling.peer)
  const resolved = calling.resolveNow(addressKeys(address))
  return resolved && download(parts, request, resolved, keep)
}

function download(
  parts: HttpParts,
  request: Request,
  resolved: Resolved,
  keep: Keep | undefined,
): Response | Promise<Response> {
  const found = readableFile(resolved)
  const response = fileResponse(parts.registry, found, request, (error) => logFailure(parts.log, request, error))
  if (response instanceof Promise) return response
  keep?.(found, resolved.caller, response)
  return response
}

async function versionRoute(parts: HttpParts, request: Request, address: Address, calling: Calling): Promise<Response> {
  if (request.method !== 'DELETE') throw methodNotAllowed('DELETE')
  const resolved = await calling.resolve(addressKeys(address))
  const leave = packageGrant('write', resolved)
  await removeVersion(parts.registry, leave, address.version)
  parts.log.info(eventOf(address, leave.caller), `Removed ${pathOf(address)}`)
  return new Response(null, { status: 204 })
}

export function methodNotAllowed(allow: string): Problem {
  return new Problem('method-not-allowed', `This address takes ${allow}.`, { allow })
}

/** The line that every way to publish leaves in the log. */
export function logPublished(log: Logger, { caller }: Grant<'write'>, address: Address): void {
  log.info(eventOf(address, caller), `Published ${pathOf(address)}`)
}

function pathOf(address: Address): string {
  return [address.owner, address.package, address.version, address.file].filter(Boolean).join('/')
}

function eventOf(address: Address, by: Publisher): Record<string, string> {
  const { owner, file, version } = address
  const fields = {
    'package.owner': owner,
    'package.name': address.package,
    'package.version': version,
    'user.name': actorOf(by).name,
    ...(by.kind === 'deploy-token' ? { 'deploy_token.name': by.credential.name } : {}),
  }
  return file ? { ...fields, 'file.name': file } : fields
}
