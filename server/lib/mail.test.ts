import { describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { certificate, type MailServer, startMailServer } from '../../test/support/mail-server.ts'
import { MailError, openMailer } from './mail.ts'

const from = 'Packages <packages@example.com>'
const mail = { to: 'ada@example.com', subject: 'Hello', text: 'Hello, Ada.' }
const login = { user: 'stowage', password: 'p%:/@ss wörd' }
const userinfo = `${login.user}:${encodeURIComponent(login.password)}@`

/** What sending ends in, where it is no success. */
async function refusal(sent: Promise<void>): Promise<MailError> {
  const error = await sent.then(
    () => new Error('the mail was taken'),
    (reason) => reason,
  )
  expect(error).toBeInstanceOf(MailError)
  return error
}

/** A server of which the test says what it does; it is no mail server. */
async function listening(connected: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    connected(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** The one mail that a server got. */
async function received(server: MailServer) {
  const [first] = await server.received(1)
  if (!first) throw new Error('no mail')
  return first
}

describe('a mail', () => {
  test('arrives as it was written', async () => {
    await using server = await startMailServer()
    await openMailer({ url: server.url, from }).send(mail)
    const { headers, ...rest } = await received(server)
    expect(rest).toEqual({
      from: 'packages@example.com',
      to: ['ada@example.com'],
      subject: 'Hello',
      text: 'Hello, Ada.',
      encrypted: false,
      user: undefined,
    })
    expect(headers.get('from')).toBe(from)
    expect(headers.get('to')).toBe('ada@example.com')
    expect(headers.get('content-type')).toStartWith('text/plain')
    expect(headers.get('auto-submitted')).toBe('auto-generated')
    expect(Date.parse(headers.get('date') ?? '')).toBeGreaterThan(0)
    expect(headers.get('message-id')).toMatch(/^<[^>]+@example\.com>$/)
  })

  test.each([
    ['Ein Päckchen für Ada ✉', 'Grüße,\nΑδα 🎁\n\n.\n..\nFrom: nobody'],
    ['名前'.repeat(60), 'x'.repeat(3_000)],
    [
      'Reset your password '.repeat(20).trim(),
      'https://packages.example.com/reset?token=0123456789=&a=%20 '.repeat(20).trim(),
    ],
  ])('arrives with its letters: %s', async (subject, text) => {
    await using server = await startMailServer()
    await openMailer({ url: server.url, from: 'Päckchen <packages@example.com>' }).send({ ...mail, subject, text })
    const { headers, ...got } = await received(server)
    expect(got).toMatchObject({ from: 'packages@example.com', subject, text })
    expect(headers.get('from')).toBe('Päckchen <packages@example.com>')
  })

  test.each([
    'ada@example.com, eve@example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com\nBcc: eve@example.com',
    'ada@example.com> SIZE=1\r\nRCPT TO:<eve@example.com',
    'Ada <ada@example.com>',
    'friends: ada@example.com;',
    'ada',
    '',
  ])('goes to one address, not to %j', async (to) => {
    const mailer = openMailer({ url: 'smtp://127.0.0.1:1', from })
    expect((await refusal(mailer.send({ ...mail, to }))).message).toContain('one address')
  })

  test.each(['Hello\r\nBcc: eve@example.com', 'Hello\nBcc: eve@example.com', 'a\rb', 'a\0b', 'a\u2028b'])(
    'has a subject of one line, not %j',
    async (subject) => {
      const mailer = openMailer({ url: 'smtp://127.0.0.1:1', from })
      expect((await refusal(mailer.send({ ...mail, subject }))).message).toContain('one line')
    },
  )
})

describe('credentials', () => {
  test('are those of the address', async () => {
    await using server = await startMailServer({ login })
    await openMailer({ url: server.urlOf(userinfo), from }).send(mail)
    expect(await received(server)).toMatchObject({ user: 'stowage', encrypted: false })
  })

  test('may hold a % that escapes nothing', async () => {
    await using server = await startMailServer({ login: { user: 'stowage', password: '100%' } })
    await openMailer({ url: server.urlOf('stowage:100%@'), from }).send(mail)
    expect(await received(server)).toMatchObject({ user: 'stowage' })
  })

  test('that are wrong are in no error, whatever the server says', async () => {
    await using server = await startMailServer({ login })
    const error = await refusal(openMailer({ url: server.urlOf('stowage:wr%20ong@'), from }).send(mail))
    expect(error.reply).toBe(535)
    expect(error.message).toContain('stowage is not [secret]')
    expect(Bun.inspect(error)).not.toMatch(/wr( |%20)ong|d3Igb25n/)
    expect(server.mails).toEqual([])
  })

  test('that the server repeats as it got them are in no error', async () => {
    using server = await listening((socket) => {
      socket.write('220 ready\r\n')
      socket.on('data', (data) => {
        const said = String(data).trim()
        socket.write(/^EHLO/.test(said) ? '250-hello\r\n250 AUTH PLAIN\r\n' : `500 what is ${said}?\r\n`)
      })
    })
    const error = await refusal(openMailer({ url: server.url.replace('//', '//me:secret-1@'), from }).send(mail))
    expect(error.message).toContain('500 what is AUTH PLAIN [secret]?')
    expect(Bun.inspect(error)).not.toContain(btoa('\0me\0secret-1'))
  })

  test('pass a network encrypted or not at all', async () => {
    await using server = await startMailServer({ login })
    // Not loopback by its name; the address is this machine's all the same.
    const mailer = openMailer({ url: server.urlOf(userinfo, '0.0.0.0'), from })
    expect((await refusal(mailer.send(mail))).message).toContain('STARTTLS')
    expect(server.mails).toEqual([])
  })

  test('pass a network only to a server whose certificate is right', async () => {
    await using server = await startMailServer({ login, tls: 'offered' })
    const mailer = openMailer({ url: server.urlOf(userinfo, '0.0.0.0'), from })
    expect((await refusal(mailer.send(mail))).message).toMatch(/certificate/i)
    expect(server.mails).toEqual([])
  })
})

describe('encryption', () => {
  test('from the start is what smtps says', async () => {
    await using server = await startMailServer({ login, tls: 'always' })
    await openMailer({ url: server.urlOf(userinfo), from, ca: certificate }).send(mail)
    expect(await received(server)).toMatchObject({ encrypted: true, user: 'stowage' })
  })

  test('from the start needs a certificate that somebody vouches for', async () => {
    await using server = await startMailServer({ tls: 'always' })
    expect((await refusal(openMailer({ url: server.url, from }).send(mail))).message).toMatch(/certificate/i)
    expect(server.mails).toEqual([])
  })

  test('is taken where it is offered, whoever vouches for the certificate, if plain text would do', async () => {
    await using server = await startMailServer({ login, tls: 'offered' })
    await openMailer({ url: server.urlOf(userinfo), from }).send(mail)
    expect(await received(server)).toMatchObject({ encrypted: true, user: 'stowage' })
  })
})

describe('a server', () => {
  test('may refuse a recipient, and take the next mail', async () => {
    await using server = await startMailServer()
    server.refuse('eve@example.com', 'Eve has left')
    const mailer = openMailer({ url: server.url, from })
    const error = await refusal(mailer.send({ ...mail, to: 'eve@example.com' }))
    expect(error.reply).toBe(550)
    expect(error.message).toContain('Eve has left')
    await mailer.send(mail)
    expect(await received(server)).toMatchObject({ to: ['ada@example.com'] })
  })

  test('that never greets is not waited for', async () => {
    using server = await listening(() => undefined)
    const timeouts = { connection: 5_000, greeting: 50, socket: 5_000 }
    const error = await refusal(openMailer({ url: server.url, from, timeouts }).send(mail))
    expect(error.message).toContain('Greeting never received')
    expect(error.reply).toBeUndefined()
  })

  test('that falls silent is not waited for', async () => {
    using server = await listening((socket) => socket.write('220 ready\r\n'))
    const timeouts = { connection: 5_000, greeting: 5_000, socket: 50 }
    expect((await refusal(openMailer({ url: server.url, from, timeouts }).send(mail))).message).toMatch(/timeout/i)
  })

  test('that is away is an error without the password', async () => {
    const server = await startMailServer()
    const url = server.urlOf('me:secret-1@')
    await server.stop()
    const error = await refusal(openMailer({ url, from }).send(mail))
    expect(error.message).toContain('ECONNREFUSED')
    expect(Bun.inspect(error)).not.toContain('secret-1')
  })

  test('is left at once when the mailer is closed, or nobody wants the mail sent any more', async () => {
    const { promise: connected, resolve } = Promise.withResolvers<void>()
    using server = await listening(() => resolve())
    const mailer = openMailer({ url: server.url, from })
    const stopped = new AbortController()
    const [first, second] = [refusal(mailer.send(mail)), refusal(mailer.send(mail, stopped.signal))]
    await connected
    stopped.abort()
    expect((await second).message).toContain('aborted')
    mailer.close()
    expect((await first).message).toContain('aborted')
    expect((await refusal(mailer.send(mail))).message).toContain('aborted')
  })

  test.each(['http://me:secret-1@example.com', 'smtp://me:secret-1@', 'me:secret-1', 'smtp://me:secret-1@a:b'])(
    'has an address of smtp or smtps, not %s',
    (url) => {
      const open = () => openMailer({ url, from })
      expect(open).toThrow(MailError)
      expect(open).not.toThrow('secret-1')
    },
  )
})
