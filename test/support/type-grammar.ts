// The part of TypeScript's grammar that generated API clients are declared in.

export type Type =
  | { kind: 'named'; name: string; of: Type[] }
  | { kind: 'list'; of: Type }
  | { kind: 'literal'; text: string }
  | { kind: 'either'; of: Type[] }
  | { kind: 'fields'; fields: Field[] }
  | { kind: 'call'; answer: Type }

export interface Field {
  name: string
  type: Type
  optional: boolean
  /** What `@format` says of it. */
  format: string | undefined
}

/** A type as it is written; what follows no rule of this grammar is an error. */
export function readType(text: string): Type {
  const words = new Words(text)
  const type = readEither(words)
  words.end()
  return type
}

function readEither(words: Words): Type {
  const of = [readList(words)]
  while (words.take('|')) of.push(readList(words))
  return of.length === 1 ? (of[0] as Type) : { kind: 'either', of }
}

function readList(words: Words): Type {
  let type = readOne(words)
  while (words.take('[')) {
    words.expect(']')
    type = { kind: 'list', of: type }
  }
  return type
}

function readOne(words: Words): Type {
  if (words.take('{')) return { kind: 'fields', fields: readFields(words) }
  if (words.take('(')) return readCall(words)
  const word = words.next()
  if (word.startsWith("'")) return { kind: 'literal', text: unquoted(word) }
  if (!/^[A-Za-z]\w*$/.test(word)) throw words.error(word)
  return { kind: 'named', name: word, of: words.take('<') ? readArguments(words) : [] }
}

function readArguments(words: Words): Type[] {
  const of = [readEither(words)]
  while (words.take(',')) of.push(readEither(words))
  words.expect('>')
  return of
}

function readFields(words: Words): Field[] {
  const fields: Field[] = []
  while (!words.take('}')) {
    const format = /@format ([\w-]+)/.exec(words.comment())?.[1]
    const word = words.next()
    if (!/^(\w+|'.*')$/.test(word)) throw words.error(word)
    const optional = words.take('?')
    words.expect(':')
    fields.push({ name: word.startsWith("'") ? unquoted(word) : word, type: readEither(words), optional, format })
    words.expect(';')
  }
  return fields
}

/** The parameters of a call say nothing of its answer, and are passed over. */
function readCall(words: Words): Type {
  for (let depth = 1; depth > 0; ) {
    words.comment()
    const word = words.next()
    depth += word === '(' ? 1 : word === ')' ? -1 : 0
  }
  words.expect('=>')
  return { kind: 'call', answer: readEither(words) }
}

function unquoted(word: string): string {
  if (word.includes('\\')) throw new Error(`An escape in ${word} cannot be read`)
  return word.slice(1, -1)
}

const wordPattern = /\s*(\/\*\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|\w+|=>|[{}()[\]<>:;,?|])/y

/** The words of a type, comments among them. */
class Words {
  readonly #words: string[] = []
  #at = 0

  constructor(text: string) {
    const pattern = new RegExp(wordPattern)
    const end = text.trimEnd().length
    while (pattern.lastIndex < end) {
      const from = pattern.lastIndex
      const word = pattern.exec(text)?.[1]
      if (word === undefined)
        throw new Error(`A type cannot be read from here on: ${text.slice(from, from + 80).trim()}`)
      this.#words.push(word)
    }
  }

  next(): string {
    const word = this.#words[this.#at++]
    if (word === undefined) throw new Error('A type ends too early')
    return word
  }

  take(word: string): boolean {
    const found = this.#words[this.#at] === word
    if (found) this.#at++
    return found
  }

  expect(word: string): void {
    if (!this.take(word)) throw this.error(this.#words[this.#at] ?? 'the end', word)
  }

  /** The comment that comes next, if one does. */
  comment(): string {
    return this.#words[this.#at]?.startsWith('/**') ? this.next() : ''
  }

  end(): void {
    const left = this.#words[this.#at]
    if (left !== undefined) throw this.error(left, 'the end')
  }

  error(found: string, wanted = 'a type'): Error {
    return new Error(`A type cannot be read: ${found} where ${wanted} must be`)
  }
}
