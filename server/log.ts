import pino, { type Logger } from 'pino'

/** Writes one line per event to standard error; standard output belongs to what a person or a script waits for. */
export async function openLog(options: { format: 'pretty' | 'json' | undefined; level: string }): Promise<Logger> {
  const format = options.format ?? (process.stderr.isTTY ? 'pretty' : 'json')
  const settings = {
    level: options.level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: fieldsOf },
  }
  if (format === 'json') return pino(settings, pino.destination({ dest: 2, sync: true }))
  const { default: pretty } = await import('pino-pretty')
  return pino(
    settings,
    pretty({
      destination: 2,
      sync: true,
      colorize: process.stderr.isTTY ?? false,
      translateTime: 'SYS:HH:MM:ss',
      messageFormat: (event, key) => onOneLine(String(event[key] ?? '')),
    }),
  )
}

/**
 * Without functions. The runtime's errors about a module that it cannot load or compile have a `toJSON` which works on them alone:
 * on a copy it throws, and nothing of the error would be written.
 */
function fieldsOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const fields = Object.entries(pino.stdSerializers.err(error)).filter(([, value]) => typeof value !== 'function')
  const several = error instanceof AggregateError ? { aggregateErrors: error.errors.map(fieldsOf) } : {}
  return { ...Object.fromEntries(fields), ...several }
}

/** A message may repeat what a client sent: it must not begin a line of its own, nor steer a terminal. */
function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (sign) => JSON.stringify(sign).slice(1, -1).replace(sign, '\uFFFD'))
}
