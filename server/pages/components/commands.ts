/* Commands that are ready to be pasted: what a name holds is never more than text, neither to the shell nor to the URL. */

/** A word for a POSIX shell. */
export function shellWord(text: string): string {
  // Some shells look up a program for a word that begins with `=`.
  return /^[A-Za-z0-9_./:@%+-][A-Za-z0-9_./:@%+=-]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** Where clients publish and fetch a file. `address`: of the server, without a trailing slash. */
export function fileAddress(address: string, names: { owner: string; package: string; version: string; file: string }) {
  const { owner, version, file } = names
  const segments = [owner, 'generic', names.package, version, file]
  // Beside what this leaves, a shell has something to do with these.
  const escaped = segments.map((segment) =>
    encodeURIComponent(segment).replace(/[!'()*~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`),
  )
  return `${address}/api/packages/${escaped.join('/')}`
}

/** A first file, as somebody publishes it who is asked for his password. */
export function firstPublish(address: string, { user, owner }: { user: string; owner: string }): string {
  const target = fileAddress(address, { owner, package: 'hello', version: '1.0', file: 'hello.txt' })
  return `echo hello > hello.txt\ncurl -u ${shellWord(user)} -T hello.txt ${shellWord(target)}`
}

/** A file in the folder where one is: its name alone may begin as an option does, or stand for a stream or a home. */
export function localPath(file: string): string {
  return /^[A-Za-z0-9_][^:]*$/.test(file) ? file : `./${file}`
}

export function fetchFile(address: string, names: Parameters<typeof fileAddress>[1]): string {
  const target = shellWord(fileAddress(address, names))
  return /^\w[\w.+-]*$/.test(names.file)
    ? `curl -fO ${target}`
    : `curl -fo ${shellWord(localPath(names.file))} ${target}`
}

/** A name that a pattern lets through. */
export function exampleOf(pattern: string): string {
  const name = pattern.replaceAll('*', 'example')
  // One sign alone is a name where it is a letter or a digit.
  return name.length > 1 || /^[a-z0-9]$/.test(name) ? name : `${name}example`
}
