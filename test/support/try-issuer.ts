import { createInterface } from 'node:readline'
import { Issuer } from './issuer.ts'

/*
 * An issuer to try single sign-on with: `npx bun test/support/try-issuer.ts`. It takes any password. Who there is, and in which groups, is
 * typed: `ada staff developers` puts Ada into these two and no others, `ada -` removes her.
 */

const issuer = await Issuer.start({ port: 9000, clientId: 'stowage', clientSecret: 'only-for-trying' })
const say = (line: string) => {
  const [name, ...groups] = line.trim().split(/\s+/)
  if (!name) return
  if (groups[0] === '-') issuer.accounts.delete(name)
  else issuer.account(name, { groups })
  const told = issuer.accounts.has(name) ? `is in ${groups.join(', ') || 'no group'}` : 'is gone'
  console.log(`${name} ${told}`)
}
console.log(`${issuer.url} knows the client ${issuer.clientId} by the secret ${issuer.clientSecret}`)
say('ada staff developers')
say('bob staff')
createInterface({ input: process.stdin }).on('line', say)
