import { start } from '../../server/start.ts'
import { readArguments } from '../arguments.ts'

const help = `stowage serve

Starts the server, as npm start does. It takes no options: its settings are STOWAGE_... variables, listed in the README.
`

export async function serve(args: string[]): Promise<void> {
  if (readArguments(args, {}).help) {
    process.stdout.write(help)
    return
  }
  await start()
}
