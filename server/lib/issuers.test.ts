import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { discoveryAddress, parseIssuers } from './issuers.ts'

const github = 'https://token.actions.githubusercontent.com'

test('two are known by name, all others by their address', () => {
  const cases: [string, ReturnType<typeof parseIssuers>][] = [
    ['', []],
    ['github', [{ url: github, kind: 'github' }]],
    [
      'GitHub, gitlab',
      [
        { url: github, kind: 'github' },
        { url: 'https://gitlab.com', kind: 'gitlab' },
      ],
    ],
    ['https://ci.example.com', [{ url: 'https://ci.example.com', kind: 'other' }]],
    ['gitlab=https://gitlab.example.com', [{ url: 'https://gitlab.example.com', kind: 'gitlab' }]],
    [`github=${github}/acme`, [{ url: `${github}/acme`, kind: 'github' }]],
    // To the letter: a slash at the end is a part of the name.
    ['https://id.example.com/', [{ url: 'https://id.example.com/', kind: 'other' }]],
    ['http://127.0.0.1:8080/realms/ci', [{ url: 'http://127.0.0.1:8080/realms/ci', kind: 'other' }]],
    ['http://[::1]:8080', [{ url: 'http://[::1]:8080', kind: 'other' }]],
    ['http://localhost:8080', [{ url: 'http://localhost:8080', kind: 'other' }]],
    // By its address GitHub is GitHub still: names of repositories go to whoever takes them next.
    [github, [{ url: github, kind: 'github' }]],
    [`${github}/acme`, [{ url: `${github}/acme`, kind: 'github' }]],
    ['https://GitLab.com:443', [{ url: 'https://GitLab.com:443', kind: 'gitlab' }]],
    [`gitlab=${github}`, undefined],
    ['github=https://gitlab.com', undefined],
    // Whoever stands between could put his own keys there.
    ['http://ci.example.com', undefined],
    ['gitlab=http://gitlab.internal', undefined],
    ['http://10.0.0.7', undefined],
    ['http://127.0.0.1.example.com', undefined],
    ['http://localhost.example.com', undefined],
    ['http://localhost@ci.example.com', undefined],
    ['bitbucket', undefined],
    ['gitlab=', undefined],
    ['other=https://ci.example.com', undefined],
    ['ci.example.com', undefined],
    ['ftp://ci.example.com', undefined],
    ['https://ada:secret@ci.example.com', undefined],
    ['https://ci.example.com?a=b', undefined],
    ['https://ci.example.com?', undefined],
    ['https://ci.example.com#a', undefined],
    ['https://', undefined],
    ['github github', undefined],
    [`github, ${github}`, undefined],
    [Array.from({ length: 21 }, (_, index) => `https://ci${index}.example.com`).join(), undefined],
  ]
  for (const [text, expected] of cases) expect({ text, is: parseIssuers(text) }).toEqual({ text, is: expected })
})

test('whatever is read has an address that can be asked', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.webUrl().map((url) => `gitlab=${url}`),
      ),
      (text) => {
        for (const issuer of parseIssuers(text) ?? []) {
          expect(URL.canParse(discoveryAddress(issuer))).toBe(true)
        }
      },
    ),
  )
})
