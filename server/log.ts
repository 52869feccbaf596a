import pino, { type Logger } from 'pino'

/** Writes one line per event to standard error; standard output belongs to what a person or a script waits for. */
export async function openLog(options: { format: 'pretty' | 'json' | undefined; level: string }): Promise<Logger> {
  const format = options.format ?? (process.stderr.isTTY ? 'pretty' : 'json')
  const settings = {
    level: options.level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
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

/** A message may repeat what a client sent: it must not begin a line of its own, nor steer a terminal. */
function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (sign) => JSON.stringify(sign).slice(1, -1).replace(sign, '\uFFFD'))
}
