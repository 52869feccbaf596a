import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { readType, type Type } from './type-grammar.ts'

const named = (name: string, ...of: Type[]): Type => ({ kind: 'named', name, of })

describe('a type is read as it is written', () => {
  const field = { optional: true, format: undefined }
  const table: [text: string, type: Type][] = [
    ['string', named('string')],
    ['User[][]', { kind: 'list', of: { kind: 'list', of: named('User') } }],
    ['Record<string, User[]>', named('Record', named('string'), { kind: 'list', of: named('User') })],
    [
      "'a' | 'b-c'",
      {
        kind: 'either',
        of: [
          { kind: 'literal', text: 'a' },
          { kind: 'literal', text: 'b-c' },
        ],
      },
    ],
    ["{ '@context'?: string; }", { kind: 'fields', fields: [{ ...field, name: '@context', type: named('string') }] }],
    [
      '{ /** When; see {@link b}\n * @format date-time */ a: string; /** What */ b?: User; }',
      {
        kind: 'fields',
        fields: [
          { name: 'a', type: named('string'), optional: false, format: 'date-time' },
          { ...field, name: 'b', type: named('User') },
        ],
      },
    ],
    [
      '(id: number, query?: { /** (1-based */ page?: number; }, then?: () => void) => Promise<User>',
      { kind: 'call', answer: named('Promise', named('User')) },
    ],
  ]
  test.each(table)('%s', (text, type) => {
    expect(readType(text)).toEqual(type)
  })

  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,8}$/)
  const { type } = fc.letrec<{ type: Type }>((tie) => ({
    type: fc.oneof(
      { depthSize: 'small' },
      name.map((word) => named(word)),
      fc.record({ kind: fc.constant('named'), name, of: fc.array(tie('type'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ kind: fc.constant('literal'), text: fc.stringMatching(/^[^'\\\n]*$/) }),
      fc.record({ kind: fc.constant('fields'), fields: fc.array(fieldOf(tie('type')), { maxLength: 3 }) }),
      tie('type')
        .filter(standsAlone)
        .map((of): Type => ({ kind: 'list', of })),
      fc
        .array(tie('type').filter(standsAlone), { minLength: 2, maxLength: 3 })
        .map((of): Type => ({ kind: 'either', of })),
    ) as fc.Arbitrary<Type>,
  }))
  function fieldOf(held: fc.Arbitrary<Type>) {
    const format = fc.constantFrom(undefined, 'int64', 'date-time')
    return fc.record({ name, type: held, optional: fc.boolean(), format })
  }

  test('whatever it is', () => {
    fc.assert(fc.property(type, (any) => expect(readType(written(any))).toEqual(any)))
  })
})

/** Whether it can be in a list or a union without parentheses, which the grammar does not have. */
function standsAlone({ kind }: Type): boolean {
  return kind !== 'either' && kind !== 'call'
}

function written(type: Type): string {
  if (type.kind === 'literal') return `'${type.text}'`
  if (type.kind === 'list') return `${written(type.of)}[]`
  if (type.kind === 'either') return type.of.map(written).join(' | ')
  if (type.kind === 'call') return `() => ${written(type.answer)}`
  if (type.kind === 'named') return type.name + (type.of.length > 0 ? `<${type.of.map(written).join(', ')}>` : '')
  const fields = type.fields.map(
    ({ name, type: held, optional, format }) =>
      `${format ? `/** @format ${format} */ ` : ''}${name}${optional ? '?' : ''}: ${written(held)};`,
  )
  return `{ ${fields.join(' ')} }`
}

describe('what is no type, or none that is known, is an error', () => {
  const strange = [
    '',
    'User &',
    'A & B',
    'User[',
    'User[0]',
    '[string]',
    '5',
    'keyof User',
    '{ a: string }',
    '{ a; }',
    '{ [key: string]: string; }',
    '{ readonly a: string; }',
    'Record<string',
    "'a\\n'",
    '"a"',
    'A extends B ? C : D',
  ]
  test.each(strange)('%s', (text) => {
    expect(() => readType(text)).toThrow()
  })
})
