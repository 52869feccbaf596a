import { anonymous } from '../../access/caller.ts'
import type { ToldChange } from '../../registry/deliveries.ts'
import { fileShape, ghost, organisationShape, packageShape, personShape } from './shapes.ts'

/** What a webhook is sent: as the JSON API shows it to anybody. Who is gone is shown by what was known of him. */
export function webhookBody({ change, ...found }: ToldChange, publicUrl: string) {
  const { action, version, files } = change
  const owner = found.owner ?? { ...ghost, ...change.owner }
  const sender = found.sender ?? { ...ghost, ...change.sender }
  const shown = {
    owner,
    version: {
      id: version.id,
      package: change.package,
      version: version.version,
      creator: found.creator,
      createdAt: version.createdAt,
    },
  }
  return {
    action,
    repository: null,
    package: packageShape(shown, anonymous, publicUrl),
    organization: change.owner.kind === 'organisation' ? organisationShape(found.organisation ?? gone(change)) : null,
    sender: personShape(sender, anonymous, publicUrl),
    files: files.map(({ digests, ...file }) => fileShape({ ...file, ...digests, downloads: 0 })),
  }
}

function gone({ owner }: ToldChange['change']) {
  return {
    ...{ id: owner.id, name: owner.name, visibility: owner.visibility },
    ...{ full_name: '', email: null, description: '', website: '', location: '' },
    repo_admin_change_team_access: 0 as const,
  }
}
