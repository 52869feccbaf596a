import { fileAddress, localPath, shellWord } from '../components/commands.ts'

/*
 * Commands that fetch or publish a file. Every value is quoted for whatever reads it: a POSIX shell, PowerShell, YAML, and the
 * expressions that GitHub and Gitea replace in a workflow before any shell sees it. A token is never a part of a command: it comes out of
 * the environment.
 */

/** A file, and who offers it. */
export interface CommandFile {
  /** Of the server as the reader reaches it, without a trailing slash. */
  address: string
  owner: string
  package: string
  version: string
  file: string
}

export interface FetchedFile extends CommandFile {
  sha256: string
  /** Whether nobody reads it without a token. */
  needsToken: boolean
}

const header = 'Authorization: token $STOWAGE_TOKEN'

/** `header` is quoted doubly, for the shell to put the token in. */
const shellHeader = `"${header}"`
const powerShellHeaders = '-Headers @{ Authorization = "token $env:STOWAGE_TOKEN" }'

/** How a value becomes a word of a command. */
type Quote = (text: string) => string

/** A word within a workflow: nothing in it begins an expression. */
export function workflowWord(text: string): string {
  // Ends the quotes between the two signs, and begins them again. A function, as a text would have `$'` replaced.
  return shellWord(text).replaceAll(`\${{`, () => "$''{{")
}

/** Text of PowerShell in which nothing is replaced; it takes several signs for a quote. */
export function powerShellText(text: string): string {
  return `'${text.replace(/['\u2018\u2019\u201A\u201B]/g, '$&$&')}'`
}

export function yamlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

export function curlFetch(file: FetchedFile, quote: Quote = shellWord): string {
  const options = file.needsToken ? ['-H', shellHeader] : []
  return ['curl', '-fL', ...options, '-o', quote(localPath(file.file)), quote(fileAddress(file.address, file))].join(
    ' ',
  )
}

export function wgetFetch(file: FetchedFile): string {
  const options = file.needsToken ? [`--header=${shellHeader}`] : []
  const target = shellWord(fileAddress(file.address, file))
  return ['wget', ...options, '-O', shellWord(localPath(file.file)), target].join(' ')
}

export function checkSum({ file, sha256 }: FetchedFile, quote: Quote = shellWord): string {
  return `echo ${quote(`${sha256}  ${localPath(file)}`)} | sha256sum -c -`
}

export function powerShellFetch(file: FetchedFile): string {
  const path = localPath(file.file)
  // Older ones take these for a pattern of files that are there already.
  const isPattern = /[[\]]/.test(path)
  const lines = [
    `Invoke-WebRequest -UseBasicParsing${file.needsToken ? ` ${powerShellHeaders}` : ''}`,
    `-Uri ${powerShellText(fileAddress(file.address, file))}`,
    `-OutFile ${powerShellText(isPattern ? 'download.tmp' : path)}`,
  ]
  const rename = `Rename-Item -LiteralPath 'download.tmp' -NewName ${powerShellText(file.file)}`
  return lines.join(' ') + (isPattern ? `\n${rename}` : '')
}

export function powerShellCheckSum({ file, sha256 }: FetchedFile): string {
  return `(Get-FileHash -Algorithm SHA256 -LiteralPath ${powerShellText(localPath(file))}).Hash -eq '${sha256}'`
}

/** A step of a workflow; GitHub and Gitea read the same. */
export function fetchStep(file: FetchedFile): string {
  const lines = [curlFetch(file, workflowWord), checkSum(file, workflowWord)]
  return step('Download from Stowage', lines, file.needsToken)
}

export function curlPublish(file: CommandFile, quote: Quote = shellWord): string {
  const path = localPath(file.file)
  // curl would make several files of a name in such brackets.
  const options = /[[\]{}]/.test(path) ? ['-g'] : []
  const target = quote(fileAddress(file.address, file))
  return ['curl', '--fail-with-body', ...options, '-H', shellHeader, '-T', quote(path), target].join(' ')
}

export function wgetPublish(file: CommandFile): string {
  const body = `--body-file=${shellWord(localPath(file.file))}`
  return `wget --method=PUT ${body} --header=${shellHeader} -O - ${shellWord(fileAddress(file.address, file))}`
}

export function powerShellPublish(file: CommandFile): string {
  const target = powerShellText(fileAddress(file.address, file))
  return `Invoke-RestMethod -Method Put ${powerShellHeaders} -Uri ${target} -InFile ${powerShellText(localPath(file.file))}`
}

export function publishStep(file: CommandFile): string {
  return step('Publish to Stowage', [curlPublish(file, workflowWord)], true)
}

function step(name: string, commands: readonly string[], needsToken: boolean): string {
  return [
    `- name: ${name}`,
    '  run: |',
    ...commands.map((line) => `    ${line}`),
    ...(needsToken ? ['  env:', `    STOWAGE_TOKEN: \${{ secrets.STOWAGE_TOKEN }}`] : []),
  ].join('\n')
}

/** What GoReleaser publishes each release with. Its version is its own; the token is in `UPLOAD_STOWAGE_SECRET`. */
export function goReleaser({
  address,
  owner,
  package: name,
  user,
}: Omit<CommandFile, 'version' | 'file'> & { user: string }) {
  const [target = ''] = fileAddress(address, { owner, package: name, version: '-', file: '-' }).split(/-\/-$/)
  return [
    'uploads:',
    '  - name: stowage',
    '    method: PUT',
    '    mode: archive',
    `    target: ${yamlText(`${target}{{ .Version }}/`)}`,
    `    username: ${yamlText(user)}`,
    '    checksum_header: X-Checksum-Sha256',
  ].join('\n')
}
