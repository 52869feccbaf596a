/** Asks again and again until it is so; throws with `what` when that takes too long. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string, deadline = 15_000): Promise<void> {
  const end = performance.now() + deadline
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`It did not come to this within ${deadline} ms: ${what}`)
    await Bun.sleep(5)
  }
}
