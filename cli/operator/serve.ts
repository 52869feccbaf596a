import { main } from '../../server/main.ts'

export async function serve(): Promise<void> {
  await main()
}
