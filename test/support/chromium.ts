import { access, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'
import type { TestStowage } from './stowage.ts'

/*
 * A real browser: the Chromium for Linux that npm brings along, unpacked once on this machine and then shared by all test processes.
 * Elsewhere, the Chrome that is installed; `TEST_CHROMIUM` names another program.
 */

const version = '143'

interface Program {
  executablePath?: string
  channel?: string
  env?: Record<string, string>
}

async function program(): Promise<Program> {
  if (process.env.TEST_CHROMIUM) return { executablePath: process.env.TEST_CHROMIUM }
  if (process.platform !== 'linux' || process.arch !== 'x64') return { channel: 'chrome' }
  const folder = join(tmpdir(), `stowage-test-chromium-${version}`)
  const executablePath = join(folder, 'chromium')
  if (!(await exists(executablePath))) await unpack(folder)
  return {
    executablePath,
    env: { ...(process.env as Record<string, string>), ...(await missing(executablePath, folder)) },
  }
}

/** Beside its place, and renamed: two processes that begin together never see half of it. */
async function unpack(folder: string): Promise<void> {
  const fresh = await mkdtemp(join(tmpdir(), 'stowage-unpack-'))
  const child = Bun.spawn(
    [process.execPath, '-e', "await (await import('@sparticuz/chromium')).default.executablePath()"],
    {
      // It brings the libraries of a bare machine along, and unpacks them where it believes to be on one.
      env: { ...process.env, TMPDIR: fresh, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' },
      cwd: new URL('../..', import.meta.url).pathname,
    },
  )
  if ((await child.exited) !== 0) throw new Error('Chromium could not be unpacked')
  await rename(fresh, folder).catch(async (error) => {
    // Somebody else was faster.
    await rm(fresh, { recursive: true, force: true })
    if (!(await exists(join(folder, 'chromium')))) throw error
  })
}

/** What a bare machine lacks: libraries, fonts. */
async function missing(executablePath: string, folder: string): Promise<Record<string, string>> {
  const { stdout } = Bun.spawnSync(['ldd', executablePath])
  const lacksLibraries = stdout.toString().includes('not found')
  return {
    ...(lacksLibraries ? { LD_LIBRARY_PATH: join(folder, 'al2023', 'lib') } : {}),
    ...((await exists('/etc/fonts/fonts.conf')) ? {} : { FONTCONFIG_PATH: join(folder, 'fonts') }),
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

let shared: Promise<Browser> | undefined

/** One for all tests of a process; it ends with the process. Should it end before, the next test gets another one. */
export function browser(): Promise<Browser> {
  shared ??= launch().catch((error) => {
    shared = undefined
    throw error
  })
  return shared
}

async function launch(): Promise<Browser> {
  const made = await chromium.launch({
    ...(await program()),
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    timeout: 120_000,
    // A signal ends this process at once, and with it the pipe that the browser lives by.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  })
  made.once('disconnected', () => {
    shared = undefined
  })
  return made
}

export const desktop = { width: 1280, height: 800 }
export const phone = { width: 360, height: 740 }

export interface WindowOptions {
  size?: { width: number; height: number }
  scheme?: 'light' | 'dark'
  javaScript?: boolean
  /** More of Playwright's own. */
  context?: BrowserContextOptions
}

/** A window of somebody's own browser, with its own cookies. Whatever its console complains of fails the test at the end. */
export class Window {
  readonly page: Page
  readonly complaints: string[] = []
  readonly #expected: RegExp[] = []

  constructor(page: Page) {
    this.page = page
    page.on('pageerror', (error) => this.complaints.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(`${message.text()} (${page.url()})`)
    })
  }

  /** What the console says because the test wants it so: a page that is not found, a connection that is cut. */
  expectComplaint(pattern: RegExp): void {
    this.#expected.push(pattern)
  }

  /** Signs in with name and password, as a person does. */
  async signIn(name: string, password = `${name}-Pass-1234`): Promise<void> {
    const { page } = this
    await page.goto('/user/login')
    await page.getByLabel('User name or e-mail').fill(name)
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.waitForURL((url) => !url.pathname.startsWith('/user/login'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close()
    const unexpected = this.complaints.filter((text) => !this.#expected.some((pattern) => pattern.test(text)))
    if (unexpected.length > 0) throw new Error(`The browser complained: ${unexpected.join('; ')}`)
  }
}

export async function openWindow(
  stowage: Pick<TestStowage, 'url'>,
  { size = desktop, scheme = 'light', javaScript = true, context = {} }: WindowOptions = {},
): Promise<Window> {
  const made = await (await browser()).newContext({
    baseURL: stowage.url,
    viewport: size,
    colorScheme: scheme,
    javaScriptEnabled: javaScript,
    reducedMotion: 'reduce',
    ...context,
  })
  made.setDefaultTimeout(30_000)
  return new Window(await made.newPage())
}

interface Violation {
  id: string
  impact?: string
  help: string
  nodes: { html: string }[]
}

let axe: Promise<string> | undefined

/** Fails when the page keeps somebody out: what axe calls serious or critical, and what can only be reached by scrolling sideways. */
export async function demandAccessible(page: Page): Promise<void> {
  await demandOfAxe(page)
  const [width, inner] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[]
  if ((width ?? 0) > (inner ?? 0)) throw new Error(`${page.url()} is ${width} wide in a window of ${inner}`)
}

/** The same page by day or by night, which changes nothing of it but the colours. */
export async function demandContrast(page: Page, scheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme })
  await demandOfAxe(page, ['color-contrast'])
}

async function demandOfAxe(page: Page, rules?: string[]): Promise<void> {
  await page.waitForLoadState()
  // Sent once to each document: most of the time would go into that.
  axe ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  if (!(await page.evaluate('typeof axe === "object"'))) await page.evaluate(await axe)
  const options = JSON.stringify({ resultTypes: ['violations'], preload: false, ...(rules && { runOnly: rules }) })
  const grave = (await page.evaluate(`
    axe.run(document, ${options}).then(({ violations }) =>
      violations.filter(({ impact }) => impact === 'serious' || impact === 'critical'))
  `)) as Violation[]
  const told = grave.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map(({ html }) => `  ${html}`).join('\n')}`)
  if (told.length > 0) throw new Error(`${page.url()} is not for everybody:\n${told.join('\n')}`)
}

/** Clicks what leads to another page, and waits until that page is there. */
export async function follow(link: Locator): Promise<void> {
  await Promise.all([link.page().waitForEvent('load'), link.click()])
}
