import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { browser, desktop, openWindow, phone } from '../support/chromium.ts'
import { enterAs, openPicture, type Picture, pictures } from './pages.ts'
import { makeSite } from './site.ts'

/*
 * `npm run screenshots`: a picture of each page at two widths, light and dark, into docs/screenshots. With words behind it, only of
 * pages whose names hold one of them.
 */

const folder = new URL('../../docs/screenshots/', import.meta.url).pathname
const words = process.argv.slice(2)
const wanted = pictures.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
if (words.length === 0) await rm(folder, { recursive: true, force: true })
await mkdir(folder, { recursive: true })

await using site = await makeSite()
// WebP is a third of PNG, and the browser can make it.
await using press = await openWindow(site.stowage)
let bytes = 0

for (const [width, size] of Object.entries({ desktop, phone })) {
  for (const scheme of ['light', 'dark'] as const) {
    for (const by of ['nobody', 'ada', 'grace', 'admin'] as const) {
      const theirs = wanted.filter((picture) => picture.by === by)
      if (theirs.length === 0) continue
      await using window = await openWindow(site.stowage, { size, scheme })
      window.expectComplaint(/Failed to load resource.*4\d\d/)
      await enterAs(window, by, site)
      for (const picture of theirs) bytes += await take(window.page, picture, `${picture.name}-${width}-${scheme}.webp`)
    }
  }
}
console.log(`${wanted.length} pages, ${wanted.length * 4} pictures, ${(bytes / 1e6).toFixed(1)} MB in docs/screenshots`)
await (await browser()).close()

async function take(page: Page, picture: Picture, file: string): Promise<number> {
  await openPicture(page, picture, site)
  const png = await page.screenshot({ fullPage: true })
  const webp = await press.page.evaluate(
    `(async () => {
      const bytes = Uint8Array.from(atob('${png.toString('base64')}'), (sign) => sign.charCodeAt(0))
      const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
      const canvas = new OffscreenCanvas(picture.width, picture.height)
      canvas.getContext('2d').drawImage(picture, 0, 0)
      const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.7 })
      const out = new Uint8Array(await blob.arrayBuffer())
      let text = ''
      for (const byte of out) text += String.fromCharCode(byte)
      return btoa(text)
    })()`,
  )
  const made = Buffer.from(String(webp), 'base64')
  await Bun.write(join(folder, file), made)
  return made.byteLength
}
