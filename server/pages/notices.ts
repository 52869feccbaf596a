/*
 * What a page says once about the change that led to it. The browser carries the word between two requests, and nobody else's text
 * can come along: a word that is not here is nothing.
 */
const notices = {
  'signed-out': 'You have signed out.',
} as const

export type Notice = keyof typeof notices

export function isNotice(word: string | undefined): word is Notice {
  return word !== undefined && Object.hasOwn(notices, word)
}

export function textOf(notice: Notice): string {
  return notices[notice]
}
