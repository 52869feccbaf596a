import { describe, expect, test } from 'bun:test'
import { parseWrkOutput } from './wrk-output.ts'

const usual = `Running 2s test @ http://127.0.0.1:8080/file
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   752.00us  356.11us   6.62ms   86.60%
    Req/Sec     2.47k    27.22     2.54k    72.73%
  Latency Distribution
     50%  699.00us
     75%    0.88ms
     90%    1.08ms
     99%    1.53ms
  2708 requests in 1.10s, 1.34MB read
Requests/sec:   2462.05
Transfer/sec:      1.22MB
`

describe('the output of wrk', () => {
  test('gives requests, time, bytes and latencies', () => {
    expect(parseWrkOutput(usual)).toEqual({
      requests: 2708,
      seconds: 1.1,
      bytes: 1.34 * 1024 * 1024,
      p50Ms: expect.closeTo(0.699),
      p99Ms: 1.53,
      complaints: [],
    })
  })

  test.each([
    ['12 requests in 500.00ms, 900.00B read', 0.5, 900],
    ['12 requests in 2.00s, 64.00KB read', 2, 65536],
    ['12 requests in 1.50m, 2.50GB read', 90, 2.5 * 2 ** 30],
  ])('has units: %s', (line, seconds, bytes) => {
    expect(parseWrkOutput(`  ${line}\n`)).toMatchObject({ requests: 12, seconds, bytes })
  })

  test('has latencies in seconds for slow answers', () => {
    const slow = usual.replace('699.00us', '1.25s').replace('1.53ms', '1.10m')
    expect(parseWrkOutput(slow)).toMatchObject({ p50Ms: 1250, p99Ms: 66_000 })
  })

  test('has no latency when nothing was finished', () => {
    const nothing = usual
      .replace('2708 requests', '0 requests')
      .replace('699.00us', '0.00us')
      .replace('1.53ms', '0.00us')
    expect(parseWrkOutput(nothing)).toMatchObject({ requests: 0, p50Ms: undefined, p99Ms: undefined })
  })

  test('repeats every complaint', () => {
    const bad = usual.replace(
      'Requests/sec',
      '  Socket errors: connect 0, read 3, write 0, timeout 1\n  Non-2xx or 3xx responses: 12\nRequests/sec',
    )
    expect(parseWrkOutput(bad).complaints).toEqual([
      'Socket errors: connect 0, read 3, write 0, timeout 1',
      'Non-2xx or 3xx responses: 12',
    ])
  })

  test('that is something else is refused', () => {
    expect(() => parseWrkOutput('unable to connect to 127.0.0.1:8080 Connection refused')).toThrow('unable to connect')
  })
})
