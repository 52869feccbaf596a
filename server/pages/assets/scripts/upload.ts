import { bytes, counted } from '../../words.ts'
import { type Chosen, chosenIn, droppedIn } from './chosen-files.ts'
import { FileDigests } from './file-digests.ts'
import { FileUpload, type UploadParts } from './file-upload.ts'
import { cleanedFileName, fileFault, numbered, packageFault, versionFault } from './names-told.ts'
import { duration, Pace } from './pace.ts'
import { find, UploadRow } from './upload-row.ts'
import { WholeFileTransport } from './upload-transport.ts'

/** Files that are sent at the same time: a few small ones hide each other's waiting, a long line is not made longer by more. */
const atOnce = 3

/** The list of files on the page, and all that can be done with it. */
class Board {
  readonly #form: HTMLFormElement
  readonly #area: HTMLElement
  readonly #parts: UploadParts
  readonly #rows = new Map<FileUpload, UploadRow>()
  readonly #queue: FileUpload[] = []
  readonly #pace = new Pace()
  /** Uploads whose line shows something old. */
  readonly #stale = new Set<FileUpload>()
  #running = 0
  /** Bytes of this round that somebody has been told of, in quarters. */
  #quarter = 0
  #announcements: string[] = []
  /** Whether something was sent since all was at rest. */
  #isUnderWay = false

  constructor(form: HTMLFormElement, area: HTMLElement) {
    this.#form = form
    this.#area = area
    const { upload = '', worker = '', largest } = form.dataset
    this.#parts = {
      transport: new WholeFileTransport(upload),
      digests: new FileDigests(new Worker(worker, { type: 'module' })),
      largest: largest === undefined ? undefined : Number(largest),
      changed: (it) => this.#changed(it),
      sent: (count) => this.#pace.note(performance.now(), count),
    }
  }

  begin(): void {
    for (const plain of document.querySelectorAll<HTMLElement>('[data-plain]')) plain.hidden = true
    this.#area.hidden = false
    this.#listenToChoices()
    this.#listenToDrops()
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#start()
    })
    this.#on('[data-start]', () => this.#start())
    this.#on('[data-cancel-all]', () => this.#cancelAll())
    this.#on('[data-use-names]', () => this.#useNames())
    this.#on('[data-go-on]', () => this.#goOn('paused'))
    addEventListener('online', () => this.#goOn('waiting'))
    addEventListener('beforeunload', (event) => {
      if (this.#active().length > 0) event.preventDefault()
    })
    // Speed, time left and waits change also while nothing happens.
    setInterval(() => this.#tick(), 500)
    this.#show()
  }

  #on(selector: string, work: () => void): void {
    find(this.#area, selector).addEventListener('click', work)
  }

  #listenToChoices(): void {
    for (const button of this.#area.querySelectorAll<HTMLElement>('[data-choose]')) {
      const field = find<HTMLInputElement>(this.#area, `[data-files="${button.dataset.choose}"]`)
      button.addEventListener('click', () => field.click())
      field.addEventListener('change', () => {
        if (field.files) this.#add(chosenIn(field.files))
        // So that the same file can be chosen once more.
        field.value = ''
      })
    }
  }

  #listenToDrops(): void {
    const area = find(this.#area, '[data-drop]')
    const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const mark = (isOver: boolean) => area.classList.toggle('border-accent', isOver)
    // Anywhere on the page: a browser would show a file that misses the place, and leave the page.
    document.addEventListener('dragover', (event) => {
      if (!holdsFiles(event)) return
      event.preventDefault()
      mark(true)
    })
    document.addEventListener('dragleave', (event) => {
      if (event.relatedTarget === null) mark(false)
    })
    document.addEventListener('drop', (event) => {
      mark(false)
      if (!event.dataTransfer || !holdsFiles(event)) return
      event.preventDefault()
      void droppedIn(event.dataTransfer).then(
        (chosen) => this.#add(chosen),
        () => this.#tellLeftOut('What was dropped could not be read.'),
      )
    })
  }

  #add({ files, leftOut }: Chosen): void {
    const before = this.#rows.size
    const list = find(this.#area, '[data-list]')
    for (const chosen of files) {
      const upload = new FileUpload(this.#parts, chosen)
      if (upload.state.kind === 'ready') this.#judgeName(upload)
      const row = new UploadRow(find(document, 'template[data-row]'), upload, {
        cancel: (it) => this.#cancel(it),
        retry: (it) => this.#retry(it),
        rename: (it, name) => this.#rename(it, name),
      })
      this.#rows.set(upload, row)
      list.append(row.element)
    }
    const added = this.#rows.size - before
    this.#tellLeftOut(
      leftOut > 0
        ? `${counted(leftOut, 'file')} that the system keeps in folders by itself ${leftOut === 1 ? 'was' : 'were'} left out.`
        : '',
    )
    this.#announce(`${counted(added, 'file')} added.`)
    this.#show()
    this.#control('[data-start]').focus()
  }

  #tellLeftOut(text: string): void {
    const told = find(this.#area, '[data-left-out]')
    told.textContent = text
    told.hidden = text === ''
  }

  /** Whether the registry can take it by that name; else one by which it could. */
  #judgeName(upload: FileUpload): void {
    const { name } = upload
    const fault = fileFault(name)
    const others = new Map<string, FileUpload>()
    for (const other of this.#rows.keys()) {
      if (other !== upload && other.state.kind !== 'naming') others.set(other.name.toLowerCase(), other)
    }
    const twin = others.get(name.toLowerCase())
    if (!fault && !twin) {
      upload.set({ kind: 'ready' })
      return
    }
    let offered = fault ? cleanedFileName(name) : name
    for (let number = 2; others.has(offered.toLowerCase()); number++) {
      offered = numbered(fault ? cleanedFileName(name) : name, number)
    }
    const why = fault ?? `A file of this name is in the list already: ${twin?.path ?? name}.`
    upload.set({ kind: 'naming', why, offered })
  }

  #rename(upload: FileUpload, name: string): void {
    upload.name = name.trim()
    this.#judgeName(upload)
    this.#show()
    const row = this.#rows.get(upload)
    if (upload.state.kind === 'naming') row?.newName.focus()
    else row?.button.focus()
  }

  #useNames(): void {
    for (const [upload, row] of this.#rows) {
      if (upload.state.kind !== 'naming') continue
      upload.name = row.newName.value.trim()
      this.#judgeName(upload)
    }
    this.#show()
    this.#control('[data-start]').focus()
  }

  #start(): void {
    const ready = [...this.#rows.keys()].filter(({ state }) => state.kind === 'ready')
    if (!this.#namesAreRight() || ready.length === 0) return
    for (const upload of ready) this.#enqueue(upload)
    this.#announce(`Uploading ${counted(ready.length, 'file')}.`)
    this.#show()
    find(this.#area, '[data-overall]').focus()
  }

  #enqueue(upload: FileUpload): void {
    if (!this.#isUnderWay) {
      this.#isUnderWay = true
      this.#quarter = 0
    }
    upload.set({ kind: 'queued' })
    this.#queue.push(upload)
    this.#next()
  }

  #next(): void {
    while (this.#running < atOnce) {
      const upload = this.#queue.shift()
      if (!upload) return
      if (upload.state.kind !== 'queued') continue
      this.#running += 1
      void upload.run(this.#address()).finally(() => {
        this.#running -= 1
        this.#next()
        this.#show()
      })
    }
  }

  #address(): { package: string; version: string } {
    return { package: this.#field('package').value.trim(), version: this.#field('version').value.trim() }
  }

  #field(name: 'package' | 'version'): HTMLInputElement {
    return find<HTMLInputElement>(this.#form, `[name="${name}"]`)
  }

  /** Package and version, as the server would look at them; else it is said at the field. */
  #namesAreRight(): boolean {
    const { package: name, version } = this.#address()
    const faults = { package: packageFault(name), version: versionFault(version) }
    for (const field of ['version', 'package'] as const) {
      const input = this.#field(field)
      const fault = faults[field]
      document.getElementById(`error-${field}`)?.remove()
      input.classList.toggle('input-error', fault !== undefined)
      if (fault === undefined) {
        input.removeAttribute('aria-invalid')
        input.removeAttribute('aria-describedby')
        continue
      }
      const template = find<HTMLTemplateElement>(document, 'template[data-fault]')
      const told = template.content.firstElementChild?.cloneNode(true) as HTMLElement
      told.id = `error-${field}`
      find(told, '[data-text]').textContent = fault
      input.setAttribute('aria-invalid', 'true')
      input.setAttribute('aria-describedby', told.id)
      input.after(told)
      input.focus()
    }
    return !faults.package && !faults.version
  }

  #cancel(upload: FileUpload): void {
    if (upload.isActive) {
      upload.cancel()
      this.#announce(`${upload.name} cancelled.`)
      this.#show()
      return
    }
    const row = this.#rows.get(upload)
    const next = row?.element.nextElementSibling ?? row?.element.previousElementSibling
    row?.element.remove()
    this.#rows.delete(upload)
    // What was its twin may have its name now.
    for (const other of this.#rows.keys()) if (other.state.kind === 'naming') this.#judgeName(other)
    this.#show()
    const button = next?.querySelector<HTMLElement>('[data-cancel]:not(.invisible)')
    ;(button ?? find(this.#area, '[data-choose]')).focus()
  }

  #cancelAll(): void {
    for (const upload of this.#active()) upload.cancel()
    this.#announce('All cancelled.')
    this.#show()
    find(this.#area, '[data-choose]').focus()
  }

  #retry(upload: FileUpload): void {
    if (upload.state.kind === 'waiting') {
      upload.goOn()
      return
    }
    if (!this.#namesAreRight()) return
    this.#enqueue(upload)
    this.#show()
    this.#rows.get(upload)?.button.focus()
  }

  #goOn(kind: 'waiting' | 'paused'): void {
    for (const upload of this.#active()) if (upload.state.kind === kind) upload.goOn()
    if (kind === 'paused') find(this.#area, '[data-overall]').focus()
  }

  #active(): FileUpload[] {
    return [...this.#rows.keys()].filter(({ isActive }) => isActive)
  }

  /** Drawn with the next picture: some files tell of themselves more often than anybody can see. */
  #changed(upload: FileUpload): void {
    const { state } = upload
    if (state.kind === 'done') {
      this.#announce(`${upload.name}: ${state.isOld ? 'the same content is there already' : 'published'}.`)
    }
    if (state.kind === 'failed') this.#announce(`${upload.name}: ${state.why}`)
    if (state.kind === 'waiting') this.#announce(`${upload.name}: ${state.why} It will be tried again.`)
    if (this.#stale.size === 0) requestAnimationFrame(() => this.#show())
    this.#stale.add(upload)
  }

  #tick(): void {
    for (const upload of this.#active()) if (upload.state.kind === 'waiting') this.#rows.get(upload)?.show()
    if (this.#isUnderWay) this.#showOverall()
    this.#speak()
  }

  #show(): void {
    for (const upload of this.#stale) this.#rows.get(upload)?.show()
    this.#stale.clear()
    const uploads = [...this.#rows.keys()]
    const active = this.#active()
    const ready = uploads.filter(({ state }) => state.kind === 'ready').length
    const unnamed = uploads.filter(({ state }) => state.kind === 'naming').length
    find(this.#area, '[data-list]').hidden = uploads.length === 0
    this.#control('[data-start]').hidden = ready === 0
    find(this.#area, '[data-start-text]').textContent = `Upload ${counted(ready, 'file')}`
    this.#control('[data-use-names]').hidden = unnamed < 2
    this.#control('[data-cancel-all]').hidden = active.length === 0
    for (const name of ['package', 'version'] as const) this.#field(name).readOnly = active.length > 0
    this.#showPaused(uploads)
    if (this.#isUnderWay && active.length === 0) this.#ended()
    this.#showOverall()
    this.#showVersion(uploads, ready)
  }

  #showPaused(uploads: FileUpload[]): void {
    const paused = find(this.#area, '[data-paused]')
    const states = uploads.map(({ state }) => state)
    const why = states.find((state) => state.kind === 'paused')?.why
    if (paused.hidden && why !== undefined) {
      this.#announce(`${why} Sign in again in another tab, then go on.`)
      find(paused, '[data-paused-why]').textContent = why
    }
    paused.hidden = why === undefined
  }

  #ended(): void {
    this.#isUnderWay = false
    const uploads = [...this.#rows.keys()]
    const done = uploads.filter(({ state }) => state.kind === 'done').length
    const failed = uploads.filter(({ state }) => state.kind === 'failed').length
    this.#announce(
      `All done: ${counted(done, 'file')} published${failed > 0 ? `, ${counted(failed, 'file')} not published` : ''}.`,
    )
  }

  #showOverall(): void {
    const overall = find(this.#area, '[data-overall]')
    const counting = [...this.#rows.keys()].filter(({ counts }) => counts)
    overall.hidden = counting.length === 0
    const total = counting.reduce((sum, { file }) => sum + file.size, 0)
    const gone = counting.reduce((sum, { progress }) => sum + progress, 0)
    const done = counting.filter(({ state }) => state.kind === 'done').length
    const bar = find<HTMLProgressElement>(overall, 'progress')
    // Files without a byte count as well.
    bar.max = Math.max(total, 1)
    bar.value = done === counting.length ? bar.max : gone
    const failed = [...this.#rows.keys()].filter(({ state }) => state.kind === 'failed').length
    // What cannot be published is a file that was wanted, though nothing more is sent of it.
    const wanted = [...this.#rows.keys()].filter(({ state, counts }) => counts || state.kind === 'failed').length
    find(overall, '[data-overall-count]').textContent =
      `${done} of ${counted(wanted, 'file')} published${failed > 0 ? `, ${failed} not possible` : ''}`
    find(overall, '[data-overall-pace]').textContent = this.#paceText(gone, total)
    const quarter = total === 0 ? 0 : Math.floor((4 * gone) / total)
    if (this.#isUnderWay && quarter > this.#quarter && quarter < 4) {
      this.#quarter = quarter
      this.#announce(`${25 * quarter} percent sent.`)
    }
  }

  #paceText(gone: number, total: number): string {
    if (!this.#isUnderWay) return bytes(total)
    const speed = this.#pace.speed(performance.now())
    const parts = [`${bytes(gone)} of ${bytes(total)}`]
    if (speed && speed > 0 && gone < total) {
      parts.push(`${bytes(speed)} a second`, `about ${duration(((total - gone) / speed) * 1000)} left`)
    }
    return parts.join(' · ')
  }

  #showVersion(uploads: FileUpload[], ready: number): void {
    const page = uploads.findLast(({ page: it, state }) => it !== undefined && state.kind === 'done')?.page
    const link = find<HTMLAnchorElement>(this.#area, '[data-version]')
    link.hidden = page === undefined || ready > 0 || this.#active().length > 0
    if (page === undefined || link.getAttribute('href') === page) return
    link.href = page
    const { package: name, version } = this.#address()
    find(link, '[data-version-text]').textContent = `Open ${name} ${version}`
  }

  #control(selector: string): HTMLElement {
    return find(this.#area, selector)
  }

  /** For who hears the page: in one go, and not in the middle of what was said before. */
  #announce(text: string): void {
    this.#announcements.push(text)
  }

  #speak(): void {
    if (this.#announcements.length === 0) return
    const spoken = this.#announcements.splice(0)
    // Of many files the last ones and how many there were: nobody listens to a hundred.
    const text =
      spoken.length > 5 ? `${counted(spoken.length, 'message')}. ${spoken.slice(-3).join(' ')}` : spoken.join(' ')
    find(this.#area, '[data-announcer]').textContent = text
  }
}

const form = document.querySelector<HTMLFormElement>('form[data-upload]')
const area = document.querySelector<HTMLElement>('[data-scripted]')
if (form && area) new Board(form, area).begin()
