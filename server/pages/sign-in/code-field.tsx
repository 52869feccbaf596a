import { minPasswordLength } from '../../names.ts'
import { TextField } from '../components/forms.tsx'
import type { Faults } from '../forms.ts'

/** The code of a link. A script puts it there and hides the field; without one it is pasted. */
export function CodeField({ code, error }: { code: string | undefined; error: string | undefined }) {
  // Nothing is wrong with it: it stays as it is while something else is mended.
  if (code && !error) return <input type="hidden" name="code" value={code} />
  return (
    <div data-code-field>
      <TextField
        name="code"
        label="Link"
        value={code}
        error={error}
        hint="The link that you were sent, or the part of it behind the #."
        autocomplete="off"
        autocapitalize="none"
        isMono
        required
      />
    </div>
  )
}

/** A password that somebody chooses, twice, as he does not see what he types. */
export function NewPassword({ faults, label = 'Password' }: { faults: Faults | undefined; label?: string }) {
  return (
    <>
      <TextField
        name="password"
        type="password"
        label={label}
        error={faults?.fields.password}
        hint={`${minPasswordLength} characters or more.`}
        autocomplete="new-password"
        minlength={minPasswordLength}
        required
      />
      <TextField
        name="again"
        type="password"
        label={`${label}, again`}
        error={faults?.fields.again}
        autocomplete="new-password"
        required
      />
    </>
  )
}
