/** How a file gets to the server. Whoever can go on where a lost connection left off is another one of these. */
export interface UploadTransport {
  /** Asks leave before any byte is sent; throws `Refused` where the server would not have the file. */
  open(file: File, address: FileAddress, signal: AbortSignal): Promise<OpenUpload>
}

export interface OpenUpload {
  /** Bytes that the server has from an earlier try: they are not sent again. */
  readonly offset: number
  /** Sends the rest of the file. `told` hears how many bytes of the file have left so far. */
  send(told: (bytes: number) => void, signal: AbortSignal): Promise<void>
  /** Makes a published file of what was sent. */
  finish(signal: AbortSignal): Promise<Published>
}

export interface FileAddress {
  package: string
  version: string
  file: string
}

export interface Published {
  sha256: string
  size: number
  /** The address of the version's page. */
  page: string
}

/** The server has answered, and said no. */
export class Refused extends Error {
  override name = 'Refused'
  readonly status: number
  readonly code: string
  readonly facts: Record<string, unknown>
  /** Milliseconds; undefined where it names no time. */
  readonly retryAfter: number | undefined

  constructor(answer: { status: number; body: Record<string, unknown>; retryAfter?: number | undefined }) {
    const { message, code, ...facts } = answer.body
    super(typeof message === 'string' ? message : `The server answered with status ${answer.status}.`)
    this.status = answer.status
    this.code = typeof code === 'string' ? code : ''
    this.facts = facts
    this.retryAfter = answer.retryAfter
  }
}

/** Nobody knows whether the server has heard it. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost'
}

/** One PUT with the whole file: it begins at 0 each time. The browser reads the file while it sends, and never holds it. */
export class WholeFileTransport implements UploadTransport {
  readonly #address: string

  /** `address`: where files of this owner are put. */
  constructor(address: string) {
    this.#address = address
  }

  async open(file: File, address: FileAddress, signal: AbortSignal): Promise<OpenUpload> {
    const segments = [address.package, address.version, address.file].map(encodeURIComponent)
    const url = `${this.#address}/${segments.join('/')}`
    // A browser hears of a refusal only once it has sent all: so it is asked for before.
    await asked('GET', `${url}?size=${file.size}`, { signal })
    let published: Published | undefined
    return {
      offset: 0,
      send: async (told, sending) => {
        published = (await asked('PUT', url, { body: file, signal: sending, told })) as unknown as Published
      },
      finish: async () => {
        if (!published) throw new Error('nothing has been sent')
        return published
      },
    }
  }
}

interface Asking {
  body?: Blob
  signal: AbortSignal
  told?: (bytes: number) => void
}

/** `fetch` says nothing of how far a body has gone. */
function asked(method: string, url: string, { body, signal, told }: Asking): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    const end = (work: () => void) => () => {
      signal.removeEventListener('abort', abort)
      work()
    }
    request.open(method, url)
    request.setRequestHeader('Accept', 'application/json')
    // What the file would call itself by its ending is not asked for, and a form would be unpacked.
    if (body) request.setRequestHeader('Content-Type', 'application/octet-stream')
    request.upload.addEventListener('progress', ({ loaded }) => told?.(loaded))
    request.addEventListener(
      'error',
      end(() => reject(new ConnectionLost('The connection was lost.'))),
    )
    request.addEventListener(
      'abort',
      end(() => reject(new DOMException('cancelled', 'AbortError'))),
    )
    request.addEventListener(
      'load',
      end(() => {
        const { status } = request
        const said = jsonIn(request.responseText)
        if (status >= 200 && status < 300 && said) return resolve(said)
        reject(refusedBy(request, said, new URL(url, location.href).pathname))
      }),
    )
    if (signal.aborted) return reject(new DOMException('cancelled', 'AbortError'))
    signal.addEventListener('abort', abort)
    request.send(body ?? null)
  })
}

function refusedBy(request: XMLHttpRequest, said: Record<string, unknown> | undefined, path: string): Refused {
  const after = Number(request.getResponseHeader('Retry-After') ?? '')
  const retryAfter = after > 0 ? after * 1000 : undefined
  if (said) return new Refused({ status: request.status, body: said, retryAfter })
  // A page in place of an answer: the site wants something of the person first, such as a new password.
  const isElsewhere = new URL(request.responseURL || path, location.href).pathname !== path
  const body = isElsewhere && request.status === 200 ? { code: 'sign-in' } : {}
  return new Refused({ status: request.status, body, retryAfter })
}

function jsonIn(text: string): Record<string, unknown> | undefined {
  try {
    const said: unknown = JSON.parse(text)
    return typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
