import { Icon } from '../components/icon.tsx'
import { counted, number } from '../words.ts'

interface Day {
  /** `2026-11-26` */
  date: string
  downloads: number
}

const width = 600
const height = 96
/** Above the highest day, so that its line is not cut. */
const margin = 4

const dayNames = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })

function nameOf({ date }: Day): string {
  return dayNames.format(new Date(date))
}

/** Downloads of each day, as a picture, and as a table for who does not see it. The oldest day is the first. */
export function DownloadChart({ days }: { days: readonly Day[] }) {
  const [first] = days
  const last = days.at(-1)
  if (!first || !last) return null
  const sum = days.reduce((all, { downloads }) => all + downloads, 0)
  const most = Math.max(...days.map(({ downloads }) => downloads))
  if (sum === 0) return <p class="quiet text-sm">Nobody has downloaded it in the last {days.length} days.</p>
  return (
    <figure>
      <div class="flex justify-between gap-4 text-sm quiet tabular">
        <span>
          {counted(sum, 'download')} in {days.length} days
        </span>
        <span>most on a day: {number(most)}</span>
      </div>
      <svg
        class="w-full h-24 mt-1 border-b border-base-300"
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Downloads per day from ${nameOf(first)} to ${nameOf(last)}: ${number(sum)} together, ${number(most)} at most. The numbers are in the table below.`}
      >
        <path d={areaOf(days, most)} fill="currentColor" fill-opacity="0.12" />
        <path
          d={lineOf(days, most)}
          fill="none"
          stroke="currentColor"
          stroke-width="1.5"
          stroke-linejoin="round"
          vector-effect="non-scaling-stroke"
        />
      </svg>
      <div class="flex justify-between gap-4 text-sm quiet mt-1" aria-hidden="true">
        <span>{nameOf(first)}</span>
        <span>{nameOf(last)}</span>
      </div>
      <details class="mt-2 text-sm">
        <summary class="quiet inline-flex items-center gap-1.5">
          <Icon name="chevron" /> Numbers of each day
        </summary>
        <table class="mt-2 w-full">
          <thead class="sr-only">
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Downloads</th>
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map((day) => (
              <tr>
                <th scope="row" class="text-start font-normal">
                  {nameOf(day)}
                </th>
                <td class="text-end">{number(day.downloads)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}

/** `M0,96L20,50`: a line through all days. */
export function lineOf(days: readonly Day[], most: number): string {
  const step = width / Math.max(1, days.length - 1)
  const points = days.map(({ downloads }, index) => {
    const part = most === 0 ? 0 : downloads / most
    return `${tenths(index * step)},${tenths(height - part * (height - margin))}`
  })
  return `M${points.join('L')}`
}

function areaOf(days: readonly Day[], most: number): string {
  return `${lineOf(days, most)}L${width},${height}L0,${height}Z`
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
