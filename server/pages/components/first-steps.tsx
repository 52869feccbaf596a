const steps = ['Sign in', 'Choose a password', 'Upload a file'] as const

/** What leads the first administrator from the printed password to a first upload. `here`: the step that is taken on this page. */
export function FirstSteps({ here }: { here: 1 | 2 | 3 }) {
  return (
    <ol class="steps w-full mb-8" aria-label="First steps">
      {steps.map((text, index) => {
        const number = index + 1
        const look = number === here ? 'step-accent font-medium' : number < here ? 'step-neutral' : 'quiet'
        return (
          <li
            class={`step ${look}`}
            data-content={number < here ? '✓' : String(number)}
            aria-current={number === here ? 'step' : undefined}
          >
            <span class="text-sm">
              {text}
              {number < here && <span class="sr-only"> (done)</span>}
            </span>
          </li>
        )
      })}
    </ol>
  )
}
