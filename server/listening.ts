import { type Settings, SettingsError } from './config.ts'

/** A failure to listen is a mistake in one setting, and told as such. */
export function listening<T>({ listen }: Pick<Settings, 'listen'>, start: () => T): T {
  try {
    return start()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!/^E[A-Z]+$/.test(code)) throw error
    const reason = code === 'EADDRINUSE' ? 'another program listens there' : `nothing can listen there (${code})`
    throw new SettingsError([`STOWAGE_LISTEN is "${listen.host}:${listen.port}", but ${reason}.`])
  }
}
