/** As `Last-Modified` and `Date` are written: `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 §5.6.7). */
export function formatHttpDate(date: Date): string {
  return date.toUTCString()
}

/**
 * Reads the three forms of RFC 9110 §5.6.7, always as UTC; undefined for anything else. The day of the week must be
 * one, but need not be the right one. `now` decides the century of a two-digit year.
 */
export function parseHttpDate(text: string, now: Date = new Date()): Date | undefined {
  const found = (imfFixdate.exec(text) ?? rfc850Date.exec(text) ?? asctimeDate.exec(text))?.groups
  if (found === undefined) return undefined
  const { year = '', month = '', day, hour, minute, second } = found
  const time = { month: months.indexOf(month), day: Number(day), seconds: secondOfDay(hour, minute, second) }
  if (year.length === 4) return utcDate({ ...time, year: Number(year) })

  // At most 50 years ahead; otherwise the most recent year that ended so.
  const century = now.getUTCFullYear() - (now.getUTCFullYear() % 100)
  for (const start of [century + 100, century, century - 100]) {
    const date = utcDate({ ...time, year: start + Number(year) })
    if (date !== undefined && date.getTime() <= fiftyYearsAfter(now)) return date
  }
  return undefined
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const weekday = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const longWeekday = '(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)'
const month = `(?<month>${months.join('|')})`
// 60 is a leap second.
const time = '(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)'

const imfFixdate = new RegExp(`^${weekday}, (?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT$`)
const rfc850Date = new RegExp(`^${longWeekday}, (?<day>\\d\\d)-${month}-(?<year>\\d\\d) ${time} GMT$`)
const asctimeDate = new RegExp(`^${weekday} ${month} (?<day>\\d\\d| \\d) ${time} (?<year>\\d{4})$`)

function secondOfDay(hour: string | undefined, minute: string | undefined, second: string | undefined): number {
  return (Number(hour) * 60 + Number(minute)) * 60 + Number(second)
}

/** Undefined for a day that its month does not have. */
function utcDate(at: { year: number; month: number; day: number; seconds: number }): Date | undefined {
  const date = new Date(0)
  // Not Date.UTC: that takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(at.year, at.month, at.day)
  if (date.getUTCMonth() !== at.month) return undefined
  date.setUTCSeconds(at.seconds)
  return date
}

function fiftyYearsAfter(now: Date): number {
  return new Date(now).setUTCFullYear(now.getUTCFullYear() + 50)
}
