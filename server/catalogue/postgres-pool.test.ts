import { describe, expect, test } from 'bun:test'
import { driverAddress } from './postgres-pool.ts'

describe('the address for the driver', () => {
  const base = 'postgres://me:a%20%2B+b@db.example.com:5433/stowage'
  const full = `${base}?sslmode=verify-full`
  const cases: [given: string, expected: string][] = [
    [base, base],
    [`${base}?sslmode=require`, full],
    [`${base}?sslmode=prefer`, full],
    [`${base}?sslmode=verify-ca`, full],
    [full, full],
    [`${base}?sslmode=disable`, `${base}?sslmode=disable`],
    [`${base}?sslmode=no-verify`, `${base}?sslmode=no-verify`],
    [`${base}?sslmode=required`, `${base}?sslmode=required`],
    [
      `${base}?application_name=a%20b+c&sslmode=require&sslrootcert=/ca.pem`,
      `${base}?application_name=a%20b+c&sslmode=verify-full&sslrootcert=/ca.pem`,
    ],
    [`${base}?uselibpqcompat=true&sslmode=require`, `${base}?uselibpqcompat=true&sslmode=require`],
    [`${base}?sslmode=verify-ca&uselibpqcompat=true`, `${base}?sslmode=verify-ca&uselibpqcompat=true`],
    [`${base}?uselibpqcompat=false&sslmode=require`, `${base}?uselibpqcompat=false&sslmode=verify-full`],
    [`${base}?note=sslmode=require`, `${base}?note=sslmode=require`],
    [`${base}#sslmode=require`, `${base}#sslmode=require`],
  ]
  test.each(cases)('%s', (given, expected) => {
    expect(driverAddress(given)).toBe(expected)
  })

  test('says nothing on its own: the driver would warn of what it takes for verify-full', async () => {
    const program = `
      import { ConnectionPool } from './server/catalogue/postgres-pool.ts'
      const pool = new ConnectionPool('postgres://me@127.0.0.1:1/stowage?sslmode=require', 1)
      await pool.take().catch(() => console.log('refused'))`
    const child = Bun.spawn([process.execPath, '-e', program], {
      cwd: new URL('../..', import.meta.url).pathname,
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    expect(said).toEqual(['refused\n', ''])
  })
})
