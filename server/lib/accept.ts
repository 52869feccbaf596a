/**
 * Whether an `Accept` header (RFC 9110 §12.5.1) prefers JSON to plain text. A tie goes to plain text, unless a JSON type
 * is named before any text.
 */
export function prefersJson(accept: string | null): boolean {
  if (!accept || !/json|application/i.test(accept)) return false
  const ranges = accept
    .slice(0, 2_000)
    .split(',')
    .map((item) => {
      const [type = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))
      const q = weight === undefined ? 1 : Number(weight.slice(2))
      return { type, q: q >= 0 && q <= 1 ? q : 0 }
    })
  const weigh = (...types: string[]) => {
    for (const type of types) {
      const index = ranges.findIndex((range) => range.type === type)
      const range = ranges[index]
      if (range) return { q: range.q, index, named: !type.startsWith('*') }
    }
    return { q: 0, index: Number.POSITIVE_INFINITY, named: false }
  }
  const [problem, json] = [
    weigh('application/problem+json', 'application/*'),
    weigh('application/json', 'application/*'),
  ]
  const best = problem.q > json.q || (problem.q === json.q && problem.index < json.index) ? problem : json
  const text = weigh('text/plain', 'text/*', '*/*')
  if (!best.named || best.q === 0) return false
  return best.q > text.q || (best.q === text.q && best.index < text.index)
}
