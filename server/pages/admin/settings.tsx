import type { ShownSetting } from '../../http/parts.ts'
import { Icon } from '../components/icon.tsx'
import { TableHead } from '../components/table-head.tsx'
import { AdminPage } from './frame.tsx'

/** The configuration in force. */
export function SettingsPage({ settings }: { settings: readonly ShownSetting[] }) {
  return (
    <AdminPage here="settings" title="Settings">
      <p class="mb-5 prose-width">
        What this server was started with. Settings are environment variables: they are read once, at the start, and
        changed by starting it anew. Secrets are not shown.
      </p>
      <table class="list-table">
        <TableHead columns={['Variable', 'In force', 'From']} />
        <tbody>
          {settings.map(({ name, value, isSet, isSecret, meaning }) => (
            <tr>
              <td class="breaks">
                <code>{name}</code>
                <span class="block quiet text-sm prose-width">
                  <WithCode text={meaning} />
                </span>
              </td>
              <td class="breaks" data-label="In force">
                {isSecret && isSet && <Icon name="hidden" label="Secret" class="mr-1.5" />}
                {value}
              </td>
              <td class="whitespace-nowrap" data-label="From">
                {isSet ? <span class="font-medium">set</span> : <span class="quiet">default</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </AdminPage>
  )
}

/** What stands in backticks as code. */
function WithCode({ text }: { text: string }) {
  return <>{text.split('`').map((part, index) => (index % 2 === 1 ? <code class="breaks">{part}</code> : part))}</>
}
