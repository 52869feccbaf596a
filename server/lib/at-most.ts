/** Passes chunks on until more than `limit` bytes have come; then throws what `tooMuch` makes, and pulls no more. */
export async function* atMost(
  limit: number,
  body: AsyncIterable<Uint8Array>,
  tooMuch: () => Error,
): AsyncGenerator<Uint8Array> {
  let seen = 0
  for await (const chunk of body) {
    seen += chunk.byteLength
    if (seen > limit) throw tooMuch()
    yield chunk
  }
}
