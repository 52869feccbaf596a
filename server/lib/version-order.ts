/**
 * A text that sorts, byte by byte, as people sort versions: numbers by their value, a pre-release (`1.0-rc1`, `1.0~rc1`) before
 * its release, `v1` as `1`. Takes the folded form.
 *
 * Close to the precedence of Semantic Versioning 2.0 (§11) for versions that follow it, and an order for all others too.
 */
export function versionOrder(versionKey: string): string {
  const tokens = versionKey.replace(/^v(?=\d)/, '').match(/\d+|\D/g) ?? []
  // The end stands between what makes a version an earlier one and what makes it a later one.
  return `${tokens.map(placeOf).join('')}%`
}

function placeOf(token: string): string {
  if (token === '~') return '!'
  if (token === '-') return '#'
  if (!/^\d/.test(token)) return token
  const digits = token.replace(/^0+(?=\d)/, '')
  return digits.length < 10 ? `${digits.length}${digits}` : `:${String(digits.length).padStart(3, '0')}${digits}`
}
