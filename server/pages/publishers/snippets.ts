import type { Issuer } from '../../lib/issuers.ts'
import { exampleOf, fileAddress, shellWord } from '../components/commands.ts'

interface Place {
  /** Of this server, without a trailing slash. */
  address: string
  owner: string
  /** Patterns of names. */
  packages: readonly string[]
}

/** What a job does to publish, ready to be pasted: a workflow of the CI system that is meant, or else the commands alone. */
export function snippetFor(kind: Issuer['kind'], place: Place): { file?: string; text: string } {
  switch (kind) {
    case 'github':
      return { file: '.github/workflows/publish.yml', text: githubWorkflow(place) }
    case 'gitlab':
      return { file: '.gitlab-ci.yml', text: gitlabJob(place) }
    case 'other':
      return { text: commands(place) }
  }
}

function githubWorkflow(place: Place): string {
  return `name: Publish
on:
  push:
    tags: ['*']
permissions:
  contents: read
  id-token: write
jobs:
  publish:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - run: tar -czf tool.tar.gz README.md
      - name: Publish
        env:
          STOWAGE: ${place.address}
        run: |
${indented(
  10,
  `answer=$(curl -sS --fail-with-body -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
  "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$STOWAGE") || { echo "$answer"; exit 1; }
ID_TOKEN=$(echo "$answer" | sed -n 's/.*"value": *"\\([^"]*\\)".*/\\1/p')
${exchange(place)}
echo "::add-mask::$TOKEN"
${upload(place, '$GITHUB_REF_NAME')}`,
)}
`
}

function gitlabJob(place: Place): string {
  return `publish:
  image:
    name: curlimages/curl
    entrypoint: ['']
  rules:
    - if: $CI_COMMIT_TAG
  id_tokens:
    ID_TOKEN:
      aud: ${place.address}
  variables:
    STOWAGE: ${place.address}
  script:
    - tar -czf tool.tar.gz README.md
    - |
${indented(6, `${exchange(place)}\n${upload(place, '$CI_COMMIT_TAG')}`)}
`
}

function commands(place: Place): string {
  return `STOWAGE=${shellWord(place.address)}
# ID_TOKEN is the job's ID token, with the audience ${place.address}
${exchange(place)}
${upload(place, '1.0.0')}
`
}

/** Says why, where it is refused: curl alone would keep that to itself. */
function exchange({ owner }: Place): string {
  return `answer=$(curl -sS --fail-with-body "$STOWAGE/api/v1/oidc/token" \\
  -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange \\
  -d subject_token_type=urn:ietf:params:oauth:token-type:id_token \\
  --data-urlencode "subject_token=$ID_TOKEN" \\
  -d "resource=$STOWAGE/api/packages/${owner}") || { echo "$answer"; exit 1; }
TOKEN=$(echo "$answer" | sed -n 's/.*"access_token": *"\\([^"]*\\)".*/\\1/p')`
}

function upload({ owner, packages }: Place, version: string): string {
  const name = exampleOf(packages[0] ?? '*')
  const target = fileAddress('$STOWAGE', { owner, package: name, version: 'VERSION', file: 'tool.tar.gz' })
  return `curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" \\
  -T tool.tar.gz "${target.replace('/VERSION/', `/${version}/`)}"`
}

function indented(by: number, text: string): string {
  return text
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n')
}
