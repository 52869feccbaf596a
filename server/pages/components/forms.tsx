import type { Child, PropsWithChildren } from 'hono/jsx'
import { Icon, type IconName } from './icon.tsx'

interface FieldProps {
  name: string
  /** Where a page has several fields of that name, in forms of their own. */
  id?: string
  label: string
  hint?: Child
  error?: string | undefined
}

/** A label, its control, what is wrong with it and what helps, tied together for who hears it. */
function Labelled({ name, id = name, label, hint, error, children }: PropsWithChildren<FieldProps>) {
  return (
    <div class="mb-4 grid gap-1 content-start">
      <label for={`field-${id}`} class="font-medium breaks">
        {label}
      </label>
      {children}
      {error && (
        <p id={`error-${id}`} class="text-error text-sm flex gap-1.5 items-start">
          <Icon name="error" class="mt-1" />
          <span>{error}</span>
        </p>
      )}
      {hint && (
        <p id={`hint-${id}`} class="quiet text-sm">
          {hint}
        </p>
      )}
    </div>
  )
}

function describedBy({ name, id = name, hint, error }: FieldProps) {
  const ids = [error ? `error-${id}` : '', hint ? `hint-${id}` : ''].filter(Boolean).join(' ')
  return { 'aria-describedby': ids || undefined, 'aria-invalid': error ? ('true' as const) : undefined }
}

interface TextFieldProps extends FieldProps {
  value?: string | undefined
  type?: 'text' | 'password' | 'email' | 'url' | 'search' | 'number' | 'datetime-local' | 'date'
  required?: boolean
  autocomplete?: string
  autocapitalize?: 'none'
  autofocus?: boolean
  placeholder?: string
  /** Of names, codes and digests. */
  isMono?: boolean
  inputmode?: 'numeric' | 'text' | 'decimal' | 'url'
  minlength?: number
  maxlength?: number
}

export function TextField(props: TextFieldProps) {
  const { name, id = name, value, type = 'text', isMono, label, hint, error, ...rest } = props
  const look = `input w-full ${error ? 'input-error' : ''} ${isMono ? 'font-mono' : ''}`
  return (
    <Labelled {...{ name, id, label, hint, error }}>
      <input id={`field-${id}`} name={name} type={type} value={value} class={look} {...rest} {...describedBy(props)} />
    </Labelled>
  )
}

export function TextArea(props: FieldProps & { value?: string; rows?: number; isMono?: boolean; maxlength?: number }) {
  const { name, value = '', rows = 4, isMono, label, hint, error, ...rest } = props
  const look = `textarea w-full ${error ? 'textarea-error' : ''} ${isMono ? 'font-mono' : ''}`
  return (
    <Labelled {...{ name, label, hint, error }}>
      {/* A line end behind the tag is no part of the text, so that a text which begins with one keeps it. */}
      <textarea id={`field-${name}`} name={name} rows={rows} class={look} {...rest} {...describedBy(props)}>
        {`\n${value}`}
      </textarea>
    </Labelled>
  )
}

/** One file of the reader's own. */
export function FileField(props: FieldProps) {
  const { name, label, hint, error } = props
  return (
    <Labelled {...{ name, label, hint, error }}>
      <input
        id={`field-${name}`}
        name={name}
        type="file"
        class={`file-input w-full ${error ? 'file-input-error' : ''}`}
        {...describedBy(props)}
      />
    </Labelled>
  )
}

export interface Choice {
  value: string
  label: string
  hint?: string
}

export function Select(props: FieldProps & { value?: string; choices: readonly Choice[] }) {
  const { name, id = name, value, choices, label, hint, error } = props
  return (
    <Labelled {...{ name, id, label, hint, error }}>
      <select
        id={`field-${id}`}
        name={name}
        class={`select w-full ${error ? 'select-error' : ''}`}
        {...describedBy(props)}
      >
        {choices.map((choice) => (
          <option value={choice.value} selected={choice.value === value}>
            {choice.label}
          </option>
        ))}
      </select>
    </Labelled>
  )
}

/** One of a few, each with a word of what it means. */
export function Choices(props: FieldProps & { value?: string; choices: readonly Choice[] }) {
  const { name, value, choices, label, error } = props
  return (
    <fieldset class="mb-4">
      <legend class="font-medium mb-1">{label}</legend>
      {error && <p class="text-error text-sm mb-1">{error}</p>}
      {choices.map((choice) => (
        <label class="flex gap-3 items-start py-1.5">
          <input
            type="radio"
            name={name}
            value={choice.value}
            class="radio radio-sm mt-0.5"
            checked={choice.value === value}
          />
          <span>
            <span class="block">{choice.label}</span>
            {choice.hint && <span class="block quiet text-sm">{choice.hint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  )
}

export function Checkbox(props: {
  name: string
  label: Child
  value?: string
  checked?: boolean
  hint?: Child
  error?: string | undefined
}) {
  const { name, label, value = 'on', checked, hint, error } = props
  return (
    <label class="flex gap-3 items-start py-1.5">
      <input
        type="checkbox"
        name={name}
        value={value}
        checked={checked}
        class={`checkbox checkbox-sm mt-0.5 ${error ? 'checkbox-error' : ''}`}
        aria-invalid={error ? 'true' : undefined}
      />
      <span>
        <span class="block">{label}</span>
        {error && (
          <span class="text-error text-sm flex gap-1.5 items-start">
            <Icon name="error" class="mt-1" />
            <span>{error}</span>
          </span>
        )}
        {hint && <span class="block quiet text-sm">{hint}</span>}
      </span>
    </label>
  )
}

type Look = 'primary' | 'plain' | 'danger'

const looks: Record<Look, string> = {
  primary: 'btn btn-primary',
  plain: 'btn btn-outline border-base-300',
  danger: 'btn btn-outline btn-error',
}

interface ButtonProps {
  look?: Look
  icon?: IconName
  size?: 'sm' | 'xs'
  name?: string
  value?: string
  formaction?: string
  /** Shown by a script, without which it could do nothing. */
  hidden?: boolean
  'data-passkey-button'?: string
}

/** Sends the form that it stands in. One primary button on a page. */
export function Button({ look = 'plain', icon, size, children, ...rest }: PropsWithChildren<ButtonProps>) {
  return (
    <button type="submit" class={`${looks[look]} ${sizeOf(size)}`} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

/** The same look for what only leads somewhere. */
export function ButtonLink(
  props: PropsWithChildren<{ href: string; look?: Look; icon?: IconName; size?: 'sm' | 'xs' }>,
) {
  const { href, look = 'plain', icon, size, children } = props
  return (
    <a href={href} class={`${looks[look]} ${sizeOf(size)}`}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  )
}

// Written out, as the style sheet has the classes that it finds in the sources.
function sizeOf(size: 'sm' | 'xs' | undefined): string {
  return size === 'sm' ? 'btn-sm' : size === 'xs' ? 'btn-xs' : ''
}

/**
 * What cannot be undone: what will be lost, and a field in which the name must be typed. The server compares, so that it holds
 * without a script too.
 */
export function Confirm(
  props: PropsWithChildren<{
    action: string
    name: string
    button: string
    error?: string | undefined
    back: string
    /** What was typed before. */
    typed?: string
  }>,
) {
  const { action, name, button, error, back, typed, children } = props
  return (
    <form method="post" action={action} class="panel p-5 prose-width border-error">
      <div class="mb-4 grid gap-2">{children}</div>
      <TextField
        name="confirm"
        label={`Type ${name} to confirm`}
        value={typed}
        error={error}
        isMono
        autocomplete="off"
      />
      <div class="flex flex-wrap gap-3">
        <Button look="danger" icon="trash">
          {button}
        </Button>
        <ButtonLink href={back}>Keep it</ButtonLink>
      </div>
    </form>
  )
}
