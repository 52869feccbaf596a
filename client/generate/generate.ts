import { join } from 'node:path'
import openapiTS, { astToString } from 'openapi-typescript'
import { apiApp } from '../../server/http/api/app.ts'
import { documentOf } from '../../server/http/api/document.ts'

const root = join(import.meta.dirname, '..', '..')
const schemaPath = join(root, 'client', 'schema.d.ts')

/** The types of the JSON API as this source tree has it. */
async function schemaSource(): Promise<string> {
  // Nothing is called: the routes only say what they are. Version and address are not in the types.
  const routes = apiApp({} as Parameters<typeof apiApp>[0])
  const document = await documentOf(routes, { version: '', publicUrl: '' })
  const types = astToString(await openapiTS(JSON.stringify(document), { alphabetize: true }))
  return `// Written by \`npm run client\` from the routes' own descriptions.\n\n${types}`
}

if (process.argv.includes('--print')) process.stdout.write(await schemaSource())
else await Bun.write(schemaPath, await schemaSource())
