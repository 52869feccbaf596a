import type { Child } from 'hono/jsx'
import { Command } from '../components/values.tsx'
import { useSite } from '../site.ts'
import {
  type CommandFile,
  checkSum,
  curlFetch,
  curlPublish,
  type FetchedFile,
  fetchStep,
  goReleaser,
  powerShellCheckSum,
  powerShellFetch,
  powerShellPublish,
  publishStep,
  wgetFetch,
  wgetPublish,
} from './commands.ts'

interface Tool {
  name: string
  content: Child
}

/** One tool's commands at a time. The choice is made of radio buttons, so that it needs no script. */
function Tools({ id, legend, tools }: { id: string; legend: string; tools: readonly Tool[] }) {
  return (
    <fieldset class="tools">
      <legend class="sr-only">{legend}</legend>
      {tools.map(({ name, content }, index) => (
        <>
          <label class="tool">
            <input type="radio" name={id} class="sr-only" checked={index === 0} />
            {name}
          </label>
          <div class="tool-content">{content}</div>
        </>
      ))}
    </fieldset>
  )
}

function Said({ children }: { children: Child }) {
  return <p class="quiet text-sm prose-width">{children}</p>
}

function WorkflowFile({ folder }: { folder: string }) {
  return (
    <Said>
      A step of a job in <code>{folder}</code>.
    </Said>
  )
}

/** How to come by a file. */
export function FetchTools({ file }: { file: FetchedFile }) {
  const fetched = (command: string, check: string) => (
    <>
      <Command text={command} />
      <Said>Check what has arrived:</Said>
      <Command text={check} what="the check" />
    </>
  )
  const step = (folder: string) => (
    <>
      <WorkflowFile folder={folder} />
      <Command text={fetchStep(file)} what="step" />
    </>
  )
  return (
    <>
      {file.needsToken && <TokenHint scope="read:package" />}
      <Tools
        id="fetch-with"
        legend="Download with"
        tools={[
          { name: 'curl', content: fetched(curlFetch(file), checkSum(file)) },
          { name: 'wget', content: fetched(wgetFetch(file), checkSum(file)) },
          { name: 'PowerShell', content: fetched(powerShellFetch(file), powerShellCheckSum(file)) },
          { name: 'GitHub Actions', content: step('.github/workflows') },
          { name: 'Gitea Actions', content: step('.gitea/workflows') },
        ]}
      />
    </>
  )
}

/** How to add a file to a version. */
export function PublishTools({ file }: { file: CommandFile }) {
  const { visitor } = useSite()
  const step = (folder: string) => (
    <>
      <WorkflowFile folder={folder} />
      <Command text={publishStep(file)} what="step" />
    </>
  )
  return (
    <>
      <TokenHint scope="write:package" />
      <Tools
        id="publish-with"
        legend="Publish with"
        tools={[
          { name: 'curl', content: <Command text={curlPublish(file)} /> },
          { name: 'wget', content: <Command text={wgetPublish(file)} /> },
          { name: 'PowerShell', content: <Command text={powerShellPublish(file)} /> },
          { name: 'GitHub Actions', content: step('.github/workflows') },
          { name: 'Gitea Actions', content: step('.gitea/workflows') },
          {
            name: 'GoReleaser',
            content: (
              <>
                <Said>
                  Part of <code>.goreleaser.yaml</code>. GoReleaser makes a version of each release, and takes the token
                  from <code>UPLOAD_STOWAGE_SECRET</code>.
                </Said>
                <Command
                  text={goReleaser({ ...file, user: visitor?.account.name ?? 'your-name' })}
                  what="configuration"
                />
              </>
            ),
          },
        ]}
      />
    </>
  )
}

/** Commands name a variable in the token's place. */
export function TokenHint({ scope }: { scope: string }) {
  const { links } = useSite()
  return (
    <p class="quiet text-sm prose-width mb-3">
      <code>STOWAGE_TOKEN</code> holds <a href={links.path('/user/settings/tokens')}>a token</a> with the scope{' '}
      <code>{scope}</code>: a variable on your machine, a secret in a workflow.
    </p>
  )
}
