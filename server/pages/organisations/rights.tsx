import type { TeamRow } from '../../access/teams.ts'
import { Icon } from '../components/icon.tsx'

type Level = TeamRow['access']

/** What a team, or somebody by his teams, may do with the organisation's packages. */
const words: Record<Level, { short: string; long: string }> = {
  1: { short: 'Reads', long: 'Sees and downloads all packages, also where the organisation is private.' },
  2: { short: 'Publishes', long: 'Also uploads, changes and deletes packages.' },
  3: { short: 'Owns', long: 'Also manages members, teams, invitations, webhooks and settings.' },
}

export function rightsInWords(level: Level): string {
  return words[level].long
}

/** The most that any of the teams gives. */
export function highest(teams: readonly Pick<TeamRow, 'access'>[]): Level {
  return Math.max(1, ...teams.map(({ access }) => access)) as Level
}

export function Rights({ level }: { level: Level }) {
  const icons = { 1: 'down', 2: 'upload', 3: 'key' } as const
  return (
    <span class="whitespace-nowrap" title={words[level].long}>
      <Icon name={icons[level]} class="mr-1.5" />
      {words[level].short}
    </span>
  )
}

/** What can be chosen for a team; nobody is made an owner but by joining the team of the owners. */
export const rightsChoices = [
  { value: 'read', label: 'Read', hint: words[1].long },
  { value: 'write', label: 'Publish', hint: words[2].long },
] as const
