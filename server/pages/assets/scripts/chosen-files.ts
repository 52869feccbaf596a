/** A file that somebody has chosen. */
export interface ChosenFile {
  file: File
  /** With the folders that it was in, for who has to tell two of one name apart. */
  path: string
}

/** What systems put into folders by themselves. */
const bySystems = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini'])

export interface Chosen {
  files: ChosenFile[]
  /** Of the system's own, which nobody meant to publish. */
  leftOut: number
}

export function chosenIn(list: FileList): Chosen {
  return withoutSystems([...list].map((file) => ({ file, path: file.webkitRelativePath || file.name })))
}

/** What was dropped, folders unfolded. The list of a drop is gone as soon as its event has ended: all of it is taken first. */
export async function droppedIn(transfer: DataTransfer): Promise<Chosen> {
  const dropped = [...transfer.items]
    .filter(({ kind }) => kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }))
  const found: ChosenFile[] = []
  for (const { entry, file } of dropped) {
    if (entry) found.push(...(await filesBelow(entry)))
    else if (file) found.push({ file, path: file.name })
  }
  return withoutSystems(found)
}

async function filesBelow(entry: FileSystemEntry): Promise<ChosenFile[]> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject))
    return [{ file, path: entry.fullPath.replace(/^\//, '') }]
  }
  if (!isFolder(entry)) return []
  const reader = entry.createReader()
  const found: ChosenFile[] = []
  for (;;) {
    // A hundred at a time, until there are none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return found
    for (const one of some) found.push(...(await filesBelow(one)))
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory
}

function withoutSystems(all: ChosenFile[]): Chosen {
  const files = all.filter(({ file, path }) => !(path.includes('/') && bySystems.has(file.name)))
  return { files, leftOut: all.length - files.length }
}
