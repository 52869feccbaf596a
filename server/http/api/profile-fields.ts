import { z } from 'zod'
import { emailKey } from '../../access/accounts.ts'
import { text } from './answers.ts'

/** Fields that bodies about users and organisations share. Absent or null: what was stays. */

export const shortText = text('must be text').max(255, 'may have 255 characters at most').nullish()

/** It is shown as a link, so no other scheme will do. */
export const webAddress = shortText
  .refine(
    (address) => !address || (/^https?:\/\//i.test(address) && URL.canParse(address)),
    'must be an http or https address',
  )
  // Everybody may read it.
  .refine((address) => !address || !URL.parse(address)?.username, 'may hold no user name and password')
  .meta({ description: 'An http or https address; empty for none.' })

/** '' is none. */
export const emailAddress = text('must be an e-mail address')
  .refine((address) => address === '' || emailKey(address) !== undefined, 'must be an e-mail address')
  .nullish()
  .meta({ description: 'An e-mail address; empty for none.' })

/** Some clients send '' for what they do not want to say. */
export const visibility = z
  .enum(['public', 'limited', 'private', ''], 'must be public, limited or private')
  .nullish()
  .transform((wanted) => wanted || undefined)

export const yesOrNo = z.boolean('must be true or false').nullish()
