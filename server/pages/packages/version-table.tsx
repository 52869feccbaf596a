import type { FiguredVersion } from '../../registry/shown-versions.ts'
import { TableHead } from '../components/table-head.tsx'
import { Ago, Size } from '../components/values.tsx'
import { useSite } from '../site.ts'
import { number } from '../words.ts'
import { VersionText } from './facts.tsx'

/** Versions of one package. */
export function VersionTable({ owner, versions }: { owner: string; versions: readonly FiguredVersion[] }) {
  const { links } = useSite()
  return (
    <table class="list-table compact">
      <TableHead
        columns={[
          { text: 'Version', isWide: true },
          { text: 'Files', isNumber: true },
          { text: 'Size', isNumber: true },
          { text: 'Downloads', isNumber: true },
          { text: 'Published', isNumber: true },
        ]}
      />
      <tbody>
        {versions.map(({ package: name, version, files, size, downloads, createdAt }) => (
          <tr>
            <td class="breaks">
              <a href={links.version(owner, name, version)} class="line">
                <VersionText>{version}</VersionText>
              </a>
            </td>
            <td data-label="Files" class="number">
              {number(files)}
            </td>
            <td data-label="Size" class="number">
              <Size of={size} />
            </td>
            <td data-label="Downloads" class="number">
              {number(downloads)}
            </td>
            <td data-label="Published" class="number">
              <Ago at={createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
