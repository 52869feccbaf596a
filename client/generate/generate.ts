import { join } from 'node:path'
import openapiTS, { astToString } from 'openapi-typescript'
import { apiApp } from '../../server/http/api/app.ts'
import { documentOf } from '../../server/http/api/document.ts'

const root = join(import.meta.dirname, '..', '..')
const schemaPath = join(root, 'client', 'schema.d.ts')

/** The types of the JSON API as this source tree has it, formatted like all sources. */
async function schemaSource(): Promise<string> {
  // Nothing is called: the routes only say what they are. Version and address are not in the types.
  const routes = apiApp({} as Parameters<typeof apiApp>[0])
  const document = await documentOf(routes, { version: '', publicUrl: '' })
  const types = astToString(await openapiTS(JSON.stringify(document), { alphabetize: true }))
  return formatted(`// Written by \`npm run client\` from the routes' own descriptions.\n\n${types}`)
}

async function formatted(source: string): Promise<string> {
  const biome = join(root, 'node_modules', '.bin', 'biome')
  const child = Bun.spawn([biome, 'format', `--stdin-file-path=${schemaPath}`], {
    cwd: root,
    stdin: new Blob([source]),
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const text = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error('The types could not be formatted')
  return text
}

if (process.argv.includes('--print')) process.stdout.write(await schemaSource())
else await Bun.write(schemaPath, await schemaSource())
