import { bytes } from '../../words.ts'
import { type FileUpload, mostTries, type UploadState } from './file-upload.ts'
import { duration } from './pace.ts'

type RowIcon = 'ready' | 'busy' | 'waiting' | 'done' | 'wrong' | 'stopped'

const icons: Record<UploadState['kind'], RowIcon> = {
  ready: 'ready',
  naming: 'wrong',
  queued: 'ready',
  asking: 'busy',
  sending: 'busy',
  comparing: 'busy',
  waiting: 'waiting',
  paused: 'waiting',
  done: 'done',
  failed: 'wrong',
  cancelled: 'stopped',
}

export interface RowActions {
  /** Stops it where it is on its way, else takes it out of the list. */
  cancel: (upload: FileUpload) => void
  retry: (upload: FileUpload) => void
  rename: (upload: FileUpload, name: string) => void
}

/** A file's line in the list. */
export class UploadRow {
  readonly element: HTMLElement
  readonly #upload: FileUpload
  readonly #progress: HTMLProgressElement
  readonly #newName: HTMLInputElement
  /** What the field for another name was last filled with, so that what is typed there stays. */
  #offered: string | undefined

  constructor(template: HTMLTemplateElement, upload: FileUpload, actions: RowActions) {
    this.element = template.content.firstElementChild?.cloneNode(true) as HTMLElement
    this.#upload = upload
    this.#progress = find(this.element, 'progress')
    this.#newName = find(this.element, '[data-new-name]')
    find(this.element, '[data-cancel]').addEventListener('click', () => actions.cancel(upload))
    find(this.element, '[data-retry] button').addEventListener('click', () => actions.retry(upload))
    find(this.element, '[data-rename]').addEventListener('submit', (event) => {
      event.preventDefault()
      actions.rename(upload, this.#newName.value)
    })
    this.show()
  }

  /** The button that is always there. */
  get button(): HTMLElement {
    return find(this.element, '[data-cancel]')
  }

  get newName(): HTMLInputElement {
    return this.#newName
  }

  show(): void {
    const { state, file, name, path, progress, isActive } = this.#upload
    this.element.dataset.state = state.kind
    for (const icon of this.element.querySelectorAll<HTMLElement>('[data-icon]')) {
      icon.hidden = icon.dataset.icon !== icons[state.kind]
    }
    this.#say('[data-name]', path === name || path.endsWith(`/${name}`) ? path : `${path} → ${name}`)
    this.#say('[data-size]', bytes(file.size))
    for (const of of this.element.querySelectorAll('[data-of]')) of.textContent = ` ${name}`
    this.#say('[data-cancel-text]', isActive ? 'Cancel' : 'Remove from the list:')

    const isMoving = ['asking', 'sending', 'comparing', 'waiting', 'paused'].includes(state.kind)
    this.#progress.hidden = !isMoving
    this.#progress.max = Math.max(file.size, 1)
    this.#progress.value = progress
    this.#progress.setAttribute('aria-label', `Progress of ${name}`)

    this.#say('[data-told]', told(this.#upload))
    find(this.element, '[data-told]').classList.toggle('quiet', state.kind !== 'failed' && state.kind !== 'naming')
    this.#showDigests(digestsOf(state))
    this.#showNaming(state)
    find(this.element, '[data-retry]').hidden = !(
      state.kind === 'waiting' ||
      state.kind === 'cancelled' ||
      (state.kind === 'failed' && state.canRetry)
    )
    // Its place stays, so that the lines stand under each other.
    find(this.element, '[data-cancel]').classList.toggle('invisible', state.kind === 'done')
  }

  #showNaming(state: UploadState): void {
    find(this.element, '[data-rename]').hidden = state.kind !== 'naming'
    if (state.kind !== 'naming' || this.#offered === state.offered) return
    this.#offered = state.offered
    this.#newName.value = state.offered
  }

  #showDigests(digests: [string, string][]): void {
    const list = find(this.element, '[data-digests]')
    list.hidden = digests.length === 0
    if (list.childElementCount === 2 * digests.length) return
    list.replaceChildren(
      ...digests.flatMap(([term, sha256]) => {
        const [dt, dd, code] = [
          document.createElement('dt'),
          document.createElement('dd'),
          document.createElement('code'),
        ]
        dt.textContent = term
        code.textContent = sha256
        dd.append(code)
        return [dt, dd]
      }),
    )
  }

  #say(selector: string, text: string): void {
    const element = find(this.element, selector)
    if (element.textContent !== text) element.textContent = text
  }
}

function told({ state, sent, file, name }: FileUpload): string {
  switch (state.kind) {
    case 'ready':
      return ''
    case 'naming':
      return state.why
    case 'queued':
      return 'Waits for its turn'
    case 'asking':
      return 'Asks the server'
    case 'sending':
      return sent >= file.size ? 'The server is storing it' : `${bytes(sent)} of ${bytes(file.size)}`
    case 'comparing':
      return 'Comparing the digests'
    case 'waiting': {
      const left = state.until - Date.now()
      const when = left > 0 ? `in ${duration(left)}` : 'now'
      return `${state.why} Trying again ${when} (${state.tries + 1} of ${mostTries}).`
    }
    case 'paused':
      return `${state.why} Nothing of this file was stored yet.`
    case 'done':
      return state.isOld
        ? `Done: the same content is there already, as ${name}.`
        : 'Published. The digest is the same here and there.'
    case 'failed':
      return state.why
    case 'cancelled':
      return 'Cancelled; nothing of it was stored.'
  }
}

function digestsOf(state: UploadState): [string, string][] {
  if (state.kind === 'done') return [['SHA-256', state.sha256]]
  if (state.kind !== 'failed' || !state.digests) return []
  return [
    ['Stored', state.digests.stored],
    ['This file', state.digests.own],
  ]
}

/** What the server's page has, and this script counts on. */
export function find<Found extends HTMLElement = HTMLElement>(within: ParentNode, selector: string): Found {
  const found = within.querySelector<Found>(selector)
  if (!found) throw new Error(`the page has no ${selector}`)
  return found
}
