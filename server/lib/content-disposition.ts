/**
 * `Content-Disposition` that makes a browser save the file under this name, never show it (RFC 6266). The name is
 * quoted only where it must be, because clients compare this header with what they know from other registries.
 */
export function attachment(fileName: string): string {
  if (!printableAscii.test(fileName)) return `attachment; filename*=UTF-8''${extendedValue(fileName)}`
  const quoted = needsQuotes.test(fileName) ? `"${fileName.replace(/["\\]/g, '\\$&')}"` : fileName
  return `attachment; filename=${quoted}`
}

const printableAscii = /^[ -~]*$/

/** A space, the specials of RFC 2045 §5.1, or nothing at all. */
const needsQuotes = /[ ()<>@,;:\\"/[\]?=]|^$/

/** RFC 8187 §3.2: what `encodeURIComponent` leaves and an attribute may not have is escaped too. */
function extendedValue(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
