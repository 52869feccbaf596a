import { expect, test } from 'bun:test'
import { startStowage } from '../support/stowage.ts'

function form(disposition: string, parts: number, size: number): string {
  const part = `--b\r\nContent-Disposition: ${disposition}\r\n\r\n${'x'.repeat(size)}\r\n`
  return `${part.repeat(parts)}--b--\r\n`
}

const asForm = { 'Content-Type': 'multipart/form-data; boundary=b' }

test.each([1, 3, 20])(
  '%d long parts that are no fields of a form are refused, and nobody waits for ever',
  async (parts) => {
    await using stowage = await startStowage()
    for (const size of [60_000, 65_536, 70_000, 300_000]) {
      const body = form('attachment; filename="x"', parts, size)
      const answer = await stowage.admin.put({}, body, asForm)
      expect({ size, status: answer.status }).toEqual({ size, status: 400 })
    }
  },
)

test('a file before and after long fields is found', async () => {
  await using stowage = await startStowage()
  const fields = form('form-data; name="field"', 2, 60_000).replace('--b--\r\n', '')
  const body = fields + form('form-data; name="file"; filename="f"', 1, 400_000)
  expect((await stowage.admin.put({}, body, asForm)).status).toBe(201)
  expect((await (await stowage.admin.get()).bytes()).length).toBe(400_000)
})

test('a form that ends in the middle of its second file is refused, and the server lives on', async () => {
  await using stowage = await startStowage()
  const file = form('form-data; name="file"; filename="f"', 1, 70_000).replace('--b--\r\n', '')
  for (const end of ['', '--b', '--b\r\nContent-Disposition: form-data; name="g"; filename="g"\r\n\r\nhalf']) {
    for (const files of [1, 2, 3]) {
      const answer = await stowage.admin.put({}, file.repeat(files) + end, asForm)
      expect({ end, files, status: answer.status }).toEqual({ end, files, status: 400 })
    }
  }
  expect((await stowage.admin.get()).status).toBe(404)
})
