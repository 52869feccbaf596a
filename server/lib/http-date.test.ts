import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { formatHttpDate, parseHttpDate } from './http-date.ts'

const now = new Date('2026-06-01T12:00:00Z')

function read(text: string): string | undefined {
  return parseHttpDate(text, now)?.toISOString()
}

describe('a date', () => {
  test.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
    ['Sun Nov 16 08:49:37 1994', '1994-11-16T08:49:37.000Z'],
    ['Thu, 01 Jan 1970 00:00:00 GMT', '1970-01-01T00:00:00.000Z'],
    ['Mon, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Thu, 29 Feb 2024 23:59:59 GMT', '2024-02-29T23:59:59.000Z'],
    ['Sat, 31 Dec 2016 23:59:60 GMT', '2017-01-01T00:00:00.000Z'],
    ['Fri, 31 Dec 9999 23:59:59 GMT', '9999-12-31T23:59:59.000Z'],
    ['Sat, 01 Jan 0050 00:00:00 GMT', '0050-01-01T00:00:00.000Z'],
    // In the middle of what a summer time leaves out in most of Europe.
    ['Sun, 29 Mar 2026 02:30:00 GMT', '2026-03-29T02:30:00.000Z'],
  ])('%s is understood', (text, iso) => {
    expect(read(text)).toBe(iso)
  })

  test.each([
    ['Monday, 01-Jun-26 00:00:00 GMT', '2026'],
    ['Monday, 01-Jun-76 00:00:00 GMT', '2076'],
    ['Monday, 02-Jun-76 00:00:00 GMT', '1976'],
    ['Monday, 01-Jun-77 00:00:00 GMT', '1977'],
    ['Monday, 01-Jun-99 00:00:00 GMT', '1999'],
    ['Tuesday, 29-Feb-00 00:00:00 GMT', '2000'],
  ])('%s is at most fifty years ahead', (text, year) => {
    expect(read(text)?.slice(0, 4)).toBe(year)
  })

  test('near the end of a century, two digits may mean the next', () => {
    expect(parseHttpDate('Monday, 01-Jan-05 00:00:00 GMT', new Date('2098-01-01Z'))?.getUTCFullYear()).toBe(2105)
  })

  test.each([
    '',
    'yesterday',
    '1994-11-06T08:49:37Z',
    '784111777',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37 CET',
    'sun, 06 nov 1994 08:49:37 gmt',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun,06 Nov 1994 08:49:37 GMT',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT\n',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 06-Nov-94 08:49:37 GMT',
    'Sunday, 06 Nov 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Sun, 29 Feb 2023 00:00:00 GMT',
    'Sunday, 29-Feb-23 00:00:00 GMT',
    'Sun Nov 6 08:49:37 1994',
    'Sun Nov  6 08:49:37 1994 GMT',
    'Sun Feb 30 08:49:37 1994',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ])('%p is none', (text) => {
    expect(read(text)).toBeUndefined()
  })

  const anyDate = fc.date({ min: new Date('0000-01-01Z'), max: new Date('9999-12-31Z'), noInvalidDate: true })

  test('that is written is read back, to the second', () => {
    fc.assert(
      fc.property(anyDate, (date) => {
        const seconds = Math.floor(date.getTime() / 1000)
        expect(parseHttpDate(formatHttpDate(date))?.getTime()).toBe(seconds * 1000)
      }),
    )
  })

  test('says the same in the older forms', () => {
    const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
    const recent = fc.date({ min: new Date('1977-01-01Z'), max: new Date('2075-12-31Z'), noInvalidDate: true })
    fc.assert(
      fc.property(recent, (date) => {
        const text = formatHttpDate(date)
        const [, weekday, day = '', month, year, time] = /^(...), (..) (...) (....) (.{8}) GMT$/.exec(text) ?? []
        const rfc850 = `${days[date.getUTCDay()]}, ${day}-${month}-${year?.slice(2)} ${time} GMT`
        const asctime = `${weekday} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`
        expect(read(rfc850)).toBe(read(text))
        expect(read(asctime)).toBe(read(text))
      }),
    )
  })

  test('in any other text is not found', () => {
    fc.assert(fc.property(fc.string(), (text) => parseHttpDate(text) === undefined))
  })
})

test('dates are written with two digits and in GMT', () => {
  expect(formatHttpDate(new Date('1994-11-06T08:49:37.999Z'))).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
})

test('the time zone of the machine changes nothing', async () => {
  const script = `
    import { formatHttpDate, parseHttpDate } from ${JSON.stringify(`${import.meta.dir}/http-date.ts`)}
    const texts = ['Sun, 29 Mar 2026 02:30:00 GMT', 'Sunday, 29-Mar-26 02:30:00 GMT', 'Sun Mar 29 02:30:00 2026']
    console.log(texts.map((text) => formatHttpDate(parseHttpDate(text))).join('|'), new Date(0).getTimezoneOffset() !== 0)`
  const there = Bun.spawn([process.execPath, '-e', script], { env: { ...process.env, TZ: 'Australia/Lord_Howe' } })
  const expected = Array(3).fill('Sun, 29 Mar 2026 02:30:00 GMT').join('|')
  expect((await there.stdout.text()).trim()).toBe(`${expected} true`)
})
