import { z } from 'zod'
import { emailKey } from '../../access/accounts.ts'
import { newPassword, text } from '../../http/api/answers.ts'
import { linkCode } from '../../http/api/invitations.ts'

/** Longer ones are nobody's. */
const longest = 1024

const filledIn = (whatElse: string) => text(whatElse).min(1, whatElse).max(longest, 'is too long')

export const credentials = z.object({
  user: filledIn('Type your user name or e-mail address'),
  password: filledIn('Type your password'),
})

export const secondFactor = z.object({ code: filledIn('Type the code') })

const name = text('Choose a name').min(1, 'Choose a name')
const email = text('').refine(
  (typed) => emailKey(typed) !== undefined,
  'Type an e-mail address, such as you@example.com',
)
const code = z
  .string()
  .transform((typed) => typed.trim().replace(/^.*#/, ''))
  .pipe(linkCode.min(1, 'Paste the link that you were sent, or the part of it behind the #'))
/** Twice, as nobody sees what he types. */
const twice = { password: newPassword, again: z.string() }

const isTwice = ({ password, again }: { password: string; again: string }) => password === again
const notTwice = { path: ['again'], error: 'Is not the same as the password above' }

export const newcomer = z.object({ user: name, email, ...twice }).refine(isTwice, notTwice)

export const invited = z
  .object({ code, user: name, email: z.union([z.literal(''), email]), ...twice })
  .refine(isTwice, notTwice)

export const joining = z.object({ code })

export const reset = z.object({ code, ...twice }).refine(isTwice, notTwice)

export const forgotten = z.object({ email })

export const change = z
  .object({ old: filledIn('Type the password that you have now'), ...twice })
  .refine(isTwice, notTwice)
  .refine(({ old, password }) => old !== password, {
    path: ['password'],
    error: 'Is the one that you have already: choose another one',
  })
