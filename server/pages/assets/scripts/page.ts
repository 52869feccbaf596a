/** What every page has: buttons that copy, and menus that close. All else works without a script. */

for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-copy]')) {
  // Only a secure context has a clipboard (Clipboard API §2); elsewhere the text is there to select.
  if (!navigator.clipboard) continue
  button.hidden = false
  button.addEventListener('click', async () => {
    const told = button.querySelector('[data-copied]')
    if (!told) return
    try {
      await navigator.clipboard.writeText(button.dataset.copy ?? '')
      told.textContent = 'Copied'
    } catch {
      told.textContent = 'Not copied'
    }
    setTimeout(() => {
      told.textContent = ''
    }, 2000)
  })
}

for (const menu of document.querySelectorAll<HTMLDetailsElement>('details[data-menu]')) {
  document.addEventListener('click', (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false
  })
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return
    menu.open = false
    menu.querySelector('summary')?.focus()
  })
}

export {}
