/** A column of a list: its heading, and how wide it is. */
export type Column = string | { text: string; isNumber?: boolean; isWide?: boolean; isUnseen?: boolean }

/** The column with the buttons of each row, which speaks for itself to who sees it. */
export const actions: Column = { text: 'What can be done', isUnseen: true }

/** The head of a `list-table`; on a phone, the cells say by `data-label` what they are. */
export function TableHead({ columns }: { columns: readonly Column[] }) {
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          const { text, isNumber, isWide, isUnseen } = typeof column === 'string' ? { text: column } : column
          return (
            <th scope="col" class={isNumber ? 'number' : isWide ? 'w-full' : undefined}>
              {isUnseen ? <span class="sr-only">{text}</span> : text}
            </th>
          )
        })}
      </tr>
    </thead>
  )
}
