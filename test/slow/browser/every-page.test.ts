import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { enterAs, openPicture, type Picture, pictures } from '../../screenshots/pages.ts'
import { makeSite, type Site } from '../../screenshots/site.ts'
import {
  demandAccessible,
  demandContrast,
  desktop,
  openWindow,
  phone,
  type WindowOptions,
} from '../../support/chromium.ts'

/* What holds of all pages, of those that `npm run screenshots` makes pictures of: each has a line in test/screenshots/pages.ts. */

let site: Site

beforeAll(async () => {
  site = await makeSite()
}, 300_000)
afterAll(() => site[Symbol.asyncDispose]())

const people = ['nobody', 'ada', 'grace', 'admin'] as const

/** Opens each page as whoever looks, and tells at the end of all that something is wrong with. */
async function each(
  options: WindowOptions,
  wanted: readonly Picture[],
  look: (page: Page, picture: Picture) => Promise<unknown>,
) {
  const wrong: string[] = []
  for (const by of people) {
    await using window = await openWindow(site.stowage, options)
    window.expectComplaint(/Failed to load resource.*4\d\d/)
    await enterAs(window, by, site)
    for (const picture of wanted.filter((one) => one.by === by)) {
      try {
        await openPicture(window.page, picture, site)
        await look(window.page, picture)
      } catch (error) {
        wrong.push(`${picture.name}: ${error}`)
      }
    }
  }
  expect(wrong).toEqual([])
}

/** The other two have the same places as one of these, and the colours of the other scheme at its width. */
test('desktop, light: every page is for everybody, the keyboard comes to all of it, and it may be twice as large', async () => {
  await each({ size: desktop, scheme: 'light' }, pictures, async (page, picture) => {
    await demandForEverybody(page, 'dark')
    await page.emulateMedia({ colorScheme: 'light' })
    // What has an address is looked at as it is opened, and nothing that was opened on it.
    if (picture.steps !== undefined) return
    await demandKeyboard(page)
    await demandRoom(page)
  })
}, 1_200_000)

test('phone, dark: every page is for everybody', async () => {
  await each({ size: phone, scheme: 'dark' }, pictures, async (page) => {
    await demandForEverybody(page, 'light')
    await page.emulateMedia({ colorScheme: 'dark' })
  })
}, 1_200_000)

/** Accessible, with enough contrast in both schemes, and in words that are meant for people. */
async function demandForEverybody(page: Page, otherScheme: 'light' | 'dark'): Promise<void> {
  await demandAccessible(page)
  await demandContrast(page, otherScheme)
  await demandWords(page)
}

/** Nothing that a program wrote for itself, but where what was sent to another one is shown as it was. */
async function demandWords(page: Page): Promise<void> {
  const leaveOut = `document.querySelectorAll('pre').forEach((sent) => sent.remove())`
  const text = String(await page.evaluate(`(() => { ${leaveOut}; return document.body.innerText })()`))
  const odd = /\d{4}-\d\d-\d\dT\d\d:|\bundefined\b|\bNaN\b|\[object |\b1[67]\d{11}\b|ZodError|SQLITE_/.exec(text)
  if (odd) throw new Error(`says ${text.slice(Math.max(0, odd.index - 40), odd.index + 40)}`)
}

const addressed = pictures.filter(({ steps }) => steps === undefined)

test('every page that has an address is read with JavaScript off', async () => {
  await each({ size: phone, javaScript: false }, addressed, async (page) => {
    await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' })
    const [text = ''] = await page.getByRole('main').allInnerTexts()
    if (text.trim().length < 40) throw new Error(`says no more than ${text}`)
  })
}, 600_000)

/** Twice as large, it does not scroll sideways: 200 % in a window of 1,280 is a page that is 640 wide. */
async function demandRoom(page: Page): Promise<void> {
  await page.setViewportSize({ width: 640, height: 400 })
  const width = Number(await page.evaluate('document.documentElement.scrollWidth'))
  await page.setViewportSize(desktop)
  if (width > 640) throw new Error(`is ${width} wide where it is twice as large`)
}

/** As many as no page has before its end. */
const mostStops = 150

/** Of what has the focus: whether it is seen to have it, and whether it is the first of the page again. */
const focused = `(async () => {
  const one = document.activeElement
  if (one === null || one === document.body) return { isOver: true }
  const told = one.outerHTML.slice(0, 160)
  const isOver = one.hasAttribute('data-was-here')
  one.setAttribute('data-was-here', '')
  // What changes by a transition is not there at once, however short that is.
  await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})))
  const isSeen = (element) => {
    const style = getComputedStyle(element)
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
  }
  // What is drawn by its label is seen there.
  return { isOver, told, isSeen: isSeen(one) || (one.matches('.sr-only, label.input > input') && isSeen(one.parentElement)) }
})()`

/** What the keyboard has not come to. Of radio buttons it comes to the chosen one. */
const missed = `[...document.querySelectorAll('a[href], button, input:not([type=hidden], [type=radio]), select, textarea, summary')]
  .filter((one) => !one.disabled && one.checkVisibility({ visibilityProperty: true }) && !one.hasAttribute('data-was-here'))
  .map((one) => one.outerHTML.slice(0, 160))`

/** The keyboard comes to all that can be used, and is seen where it is. */
async function demandKeyboard(page: Page): Promise<void> {
  // From the top, also where a field has the focus at once.
  await page.evaluate('document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex")')
  const unseen: string[] = []
  let stops = 0
  for (; stops < mostStops; stops++) {
    await page.keyboard.press('Tab')
    const {
      isOver,
      isSeen,
      told = '',
    } = (await page.evaluate(focused)) as {
      isOver: boolean
      isSeen?: boolean
      told?: string
    }
    if (isOver) break
    if (!isSeen) unseen.push(told)
  }
  if (unseen.length > 0) throw new Error(`does not show the focus of ${unseen.join('\n')}`)
  const left = (await page.evaluate(missed)) as string[]
  if (stops < mostStops && left.length > 0) throw new Error(`the keyboard does not come to ${left.join('\n')}`)
}
