import { useSite } from '../site.ts'
import { ago, bytes, exactly, number, shortened } from '../words.ts'
import { Icon } from './icon.tsx'

/** When something was: in words, and exactly for who points at it or hears it. `at` in milliseconds. */
export function Ago({ at }: { at: number }) {
  const { now } = useSite()
  const exact = exactly(at)
  return (
    <time datetime={new Date(at).toISOString()} title={exact} class="whitespace-nowrap">
      {ago(at, now)}
      <span class="sr-only"> ({exact})</span>
    </time>
  )
}

/** A size, with all its bytes for who points at it. */
export function Size({ of }: { of: number }) {
  return (
    <span class="tabular whitespace-nowrap" title={`${number(of)} ${of === 1 ? 'byte' : 'bytes'}`}>
      {bytes(of)}
    </span>
  )
}

/** A digest, shortened in the middle; copied whole. */
export function Digest({ value, name }: { value: string; name: string }) {
  return (
    <span class="inline-flex items-center gap-1 max-w-full">
      <code class="breaks" title={value}>
        {shortened(value)}
      </code>
      <Copy text={value} what={name} />
    </span>
  )
}

/** A button that copies; there only where a script can do it. */
export function Copy({ text, what }: { text: string; what: string }) {
  return (
    <button type="button" class="btn btn-ghost btn-xs px-1.5" data-copy={text} hidden>
      <Icon name="copy" />
      <span class="sr-only">Copy {what}</span>
      <span data-copied aria-live="polite"></span>
    </button>
  )
}

/** A command as it is typed, and a button that copies it. */
export function Command({ text, what = 'command' }: { text: string; what?: string }) {
  return (
    <div class="command">
      <pre tabindex={0}>
        <code>{text}</code>
      </pre>
      <Copy text={text} what={what} />
    </div>
  )
}

/** An address that somebody has entered: it leads away, and only to another page. */
export function WebLink({ href }: { href: string }) {
  const url = URL.parse(href)
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return <span class="breaks">{href}</span>
  return (
    <a href={url.href} rel="noopener nofollow" class="line breaks">
      {href.replace(/^https?:\/\//i, '').replace(/\/$/, '')}
    </a>
  )
}
