import { Hono } from 'hono'
import { z } from 'zod'
import type { UserRow } from '../../access/accounts.ts'
import { signedIn } from '../../access/grant.ts'
import type { HttpParts } from '../parts.ts'
import { bodyOf, json, jsonBody } from './answers.ts'
import type { ApiEnv } from './app.ts'
import { documented } from './documented.ts'
import { emailAddress, shortText, visibility, webAddress, yesOrNo } from './profile-fields.ts'
import { userSettings as userSettingsSchema } from './schemas.ts'

const change = bodyOf({
  full_name: shortText,
  description: shortText,
  website: webAddress,
  location: shortText,
  visibility,
  email: emailAddress,
  // What clients send beside, and what has no effect here.
  language: z.string('must be text').nullish(),
  theme: z.string('must be text').nullish(),
  diff_view_style: z.string('must be text').nullish(),
  hide_email: yesOrNo,
  hide_activity: yesOrNo,
}).meta({ id: 'UserSettingsOptions' })

/** `/user/settings`: what somebody says of himself. */
export function userSettings(parts: HttpParts): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .get(
      '/user/settings',
      documented({
        tag: 'account',
        id: 'getUserSettings',
        summary: 'What the caller says of himself',
        answers: { 200: { description: 'The settings.', schema: userSettingsSchema } },
      }),
      async (c) => {
        const caller = signedIn(await c.env.askCaller(), 'read:user')
        return json(settingsShape(await parts.ownAccount.settings(caller)))
      },
    )
    .patch(
      '/user/settings',
      documented({
        tag: 'account',
        id: 'updateUserSettings',
        summary: 'Change what the caller says of himself',
        description: 'A field that is not sent, or null, stays as it is.',
        body: change,
        answers: { 200: { description: 'The settings as they are now.', schema: userSettingsSchema } },
      }),
      async (c) => {
        const caller = signedIn(await c.env.askCaller(), 'write:user')
        const wanted = await jsonBody(c.req.raw, change)
        const changed = await parts.ownAccount.changeSettings(caller, {
          fullName: wanted.full_name ?? undefined,
          description: wanted.description ?? undefined,
          website: wanted.website ?? undefined,
          location: wanted.location ?? undefined,
          visibility: wanted.visibility,
          email: wanted.email ?? undefined,
        })
        return json(settingsShape(changed))
      },
    )
}

/** `visibility` and `email` are additions; the rest is what clients of this protocol expect. */
function settingsShape(user: UserRow) {
  return {
    full_name: user.full_name,
    description: user.description,
    website: user.website,
    location: user.location,
    visibility: user.visibility,
    email: user.email ?? '',
    language: '',
    theme: '',
    diff_view_style: '',
    hide_email: false,
    hide_activity: false,
  }
}
