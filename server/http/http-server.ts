/** What listens, of whatever kind: as much of the runtime's own server as is used. */
export interface HttpServer {
  readonly port?: number | undefined
  readonly pendingRequests: number
  requestIP(request: Request): { address: string } | null
  stop(cutsOff?: boolean): Promise<void>
}

export interface ServeOptions {
  host: string
  port: number
  /** PEM texts. */
  tls: { cert: string; key: string } | undefined
  reusePort: boolean
  /** Seconds without progress after which a connection is cut. */
  idleSeconds: number
  /** `target`: the address with its query as it was sent, without scheme and host. */
  answer(request: Request, target: string): Response | Promise<Response>
  /** Is told where `answer` fails, or its answer cannot be sent to the end; what is answered then, if it is not too late. */
  failed(error: unknown): Response
}

/** Listens at once, or throws. */
export type Serve = (options: ServeOptions) => HttpServer
