/*
 * Loaded before a server that is to be wrong: one piece of its source is replaced while it is read.
 */
import { plugin } from 'bun'
import { type BreakName, breaks, brokenBuild } from './broken-build.ts'

const { file, right, wrong } = breaks[process.env[brokenBuild] as BreakName]
const source = await Bun.file(new URL(`../../${file}`, import.meta.url)).text()
if (source.split(right).length !== 2) throw new Error(`${file} does not say once: ${right}`)

plugin({
  name: 'broken build',
  setup: (build) => {
    build.onLoad({ filter: new RegExp(`/${file.replaceAll('.', '[.]')}$`) }, () => ({
      contents: source.replace(right, () => wrong),
      loader: 'ts',
    }))
  },
})
