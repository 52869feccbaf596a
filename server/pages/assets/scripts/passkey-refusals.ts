/** What to say where a browser has no passkey to give: its own words are for programmers. */
export function refusalOf(error: unknown, kind: string): string {
  const { name, message, cause } = error instanceof Error ? error : new Error(String(error))
  // The library wraps some of the browser's errors, under the same name.
  switch (cause instanceof Error ? cause.name : name) {
    case 'NotAllowedError':
      return kind === 'create'
        ? 'No passkey was made: the browser was told to stop, or waited too long. You can try again.'
        : 'No passkey was shown: the browser was told to stop, or waited too long. You can try again.'
    case 'AbortError':
      return 'Nothing was done. You can try again.'
    case 'InvalidStateError':
      return 'This device has a passkey of your account already. Use it, or take another device.'
    case 'SecurityError':
      return 'The browser gives no passkey to a page at this address.'
    case 'NotSupportedError':
    case 'ConstraintError':
      return 'This device cannot keep a passkey that asks who is there. Take another one, such as a phone.'
    case 'TypeError':
    case 'SyntaxError':
      return 'The server could not be reached. Try again in a moment.'
    default:
      return message || 'That did not work. You can try again.'
  }
}
