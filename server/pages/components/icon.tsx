import { icons } from '@iconify-json/lucide'
import { raw } from 'hono/html'

export type IconName = keyof typeof known

/** Our names, and what Lucide calls them. */
const known = {
  account: 'circle-user-round',
  add: 'plus',
  admin: 'shield',
  alert: 'triangle-alert',
  ascending: 'arrow-up',
  audit: 'scroll-text',
  back: 'arrow-left',
  check: 'check',
  chevron: 'chevron-down',
  close: 'x',
  copy: 'copy',
  descending: 'arrow-down',
  down: 'download',
  edit: 'pencil',
  error: 'circle-x',
  file: 'file',
  first: 'chevrons-left',
  folder: 'folder',
  globe: 'globe',
  hidden: 'lock',
  info: 'info',
  key: 'key-round',
  label: 'tag',
  last: 'chevrons-right',
  limited: 'users-round',
  link: 'external-link',
  next: 'chevron-right',
  organisation: 'building-complex',
  package: 'package',
  passkey: 'fingerprint-pattern',
  previous: 'chevron-left',
  publisher: 'workflow',
  repeat: 'rotate-cw',
  search: 'search',
  settings: 'settings',
  signIn: 'log-in',
  signOut: 'log-out',
  success: 'circle-check',
  theme: 'sun-moon',
  time: 'clock',
  trash: 'trash',
  upload: 'upload',
  usage: 'gauge',
  user: 'user-round',
  users: 'users-round',
  versions: 'layers',
  webhook: 'webhook',
} as const

/** A picture of 1.125em. Beside a word it says nothing itself; alone it needs a `label`. */
export function Icon({ name, label, class: more = '' }: { name: IconName; label?: string; class?: string }) {
  const body = raw(icons.icons[known[name]]?.body ?? '')
  return label === undefined ? (
    <svg class={`icon ${more}`} viewBox="0 0 24 24" aria-hidden="true">
      {body}
    </svg>
  ) : (
    <svg class={`icon ${more}`} viewBox="0 0 24 24" role="img" aria-label={label}>
      {body}
    </svg>
  )
}

/** Three crates, one on two. */
export function Mark() {
  return (
    <svg class="size-5" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
      <path d="M4.75 1.75h6.5v5.5h-6.5zM1.25 8.25h6v6h-6zM8.75 8.25h6v6h-6z" />
    </svg>
  )
}
