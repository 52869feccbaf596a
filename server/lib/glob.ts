/** Steps of a pattern between its stars; null stands for any one character. */
type Stretch = readonly (string | null)[]

/**
 * Whether a text is like a pattern, in which `*` stands for any characters or none, and `?` for any one. Nothing else has a
 * meaning, and nothing is folded. Characters are code points.
 *
 * Each stretch between two stars is taken where it is found first: looking further could gain nothing, as the star behind it
 * takes up the rest. So the work is at most the length of the text times that of the pattern.
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  const stretches: Stretch[] = pattern.split(/\*+/).map((part) => Array.from(part, (it) => (it === '?' ? null : it)))
  const [first = [], ...others] = stretches
  const last = others.pop()
  return (text) => {
    const characters = Array.from(text)
    if (last === undefined) return characters.length === first.length && isAt(characters, first, 0)
    const end = characters.length - last.length
    if (first.length > end || !isAt(characters, first, 0) || !isAt(characters, last, end)) return false
    let from = first.length
    for (const stretch of others) {
      while (from + stretch.length <= end && !isAt(characters, stretch, from)) from += 1
      from += stretch.length
      if (from > end) return false
    }
    return true
  }
}

function isAt(characters: readonly string[], stretch: Stretch, from: number): boolean {
  return stretch.every((wanted, index) => wanted === null || wanted === characters[from + index])
}
