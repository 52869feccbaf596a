import { encode } from 'uqr'

/** Light modules around a code: ISO/IEC 18004 wants four. */
const quietZone = 4

/** Rows of modules, `true` where dark. */
function modules(text: string): boolean[][] {
  return encode(text, { ecc: 'M', border: quietZone }).data
}

/** A QR code as an SVG that needs nothing else and scales to any size, a unit to a module. */
export function qrSvg(text: string): string {
  const rows = modules(text)
  const dark = rows.flatMap((row, y) => runs(row).map(([x, length]) => `M${x} ${y}h${length}v1h-${length}z`))
  // White is drawn too: readers need it, and a page may be dark.
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${rows.length} ${rows.length}" shape-rendering="crispEdges">` +
    `<path fill="#fff" d="M0 0h${rows.length}v${rows.length}H0z"/><path d="${dark.join('')}"/></svg>`
  )
}

/** Where dark stretches of a row begin, and how long they are. */
function runs(row: readonly boolean[]): [start: number, length: number][] {
  const signs = row.map((dark) => (dark ? '1' : '0')).join('')
  return [...signs.matchAll(/1+/g)].map(({ index, 0: run }) => [index, run.length])
}

/** A QR code for a terminal: half blocks, so that a line holds two rows. Light is drawn, for most terminals are dark. */
export function qrText(text: string): string {
  const rows = modules(text)
  const isLight = (y: number, x: number) => rows[y]?.[x] === false
  const sign = (y: number, x: number) => ' ▄▀█'[(isLight(y, x) ? 2 : 0) + (isLight(y + 1, x) ? 1 : 0)]
  const lines = rows.flatMap((row, y) => (y % 2 === 0 ? [row.map((_, x) => sign(y, x)).join('')] : []))
  return lines.join('\n')
}
