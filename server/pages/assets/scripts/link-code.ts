/** The code of a link stands behind its `#`, which no browser sends: it is put into the form, and away from the address. */
const field = document.querySelector<HTMLInputElement>('input[name="code"]')
const code = location.hash.slice(1)

if (field && code) {
  field.value = code
  const label = field.closest<HTMLElement>('[data-code-field]')
  if (label) label.hidden = true
  history.replaceState(null, '', location.pathname)
}

export {}
