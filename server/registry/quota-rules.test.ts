import { describe, expect, test } from 'bun:test'
import type { QuotaNumbers } from '../catalogue/quotas.ts'
import { type Exceeded, exceeded, limitsFor, type QuotaLimits, reservedFor, stepFor } from './quota-rules.ts'

const none: QuotaNumbers = { versions: null, bytes: null, file_size: null }
const mebibyte = 1024 * 1024

describe('which limits bind an upload', () => {
  const site = { versions: 1000, bytes: 9000, file_size: 500 }
  const owners = { versions: 10, bytes: 100, file_size: 50 }

  /** Of the owner: versions, bytes; of the site: versions, bytes; one file's size. */
  const cases: [string, Parameters<typeof limitsFor>, [number, number, number, number, number]][] = [
    ['nothing is set', [{ site: none, owners: none }, none, false], [Infinity, Infinity, Infinity, Infinity, Infinity]],
    ['the default of all owners', [{ site, owners }, none, false], [10, 100, 1000, 9000, 50]],
    ['one of his own', [{ site, owners }, { ...none, bytes: 7 }, false], [10, 7, 1000, 9000, 50]],
    ['one of his own that is higher', [{ site, owners }, { ...none, versions: 99 }, false], [99, 100, 1000, 9000, 50]],
    ['0 is a limit', [{ site, owners }, { ...none, versions: 0 }, false], [0, 100, 1000, 9000, 50]],
    [
      '-1 lifts the default',
      [{ site, owners }, { versions: -1, bytes: -1, file_size: -1 }, false],
      [Infinity, Infinity, 1000, 9000, 500],
    ],
    [
      'his own does not lift the site’s',
      [{ site, owners }, { ...none, file_size: 800 }, false],
      [10, 100, 1000, 9000, 500],
    ],
    ['an administrator', [{ site, owners }, none, true], [Infinity, Infinity, Infinity, Infinity, 500]],
  ]

  test.each(cases)('%s', (_, args, [versions, bytes, siteVersions, siteBytes, fileSize]) => {
    expect(limitsFor(...args)).toEqual({
      owner: { versions, bytes },
      site: { versions: siteVersions, bytes: siteBytes },
      fileSize,
    })
  })
})

describe('which limit an upload would pass', () => {
  const limits: QuotaLimits = {
    owner: { versions: 10, bytes: 100 },
    site: { versions: 20, bytes: 200 },
    fileSize: 50,
  }
  const usage = (versions: number, bytes: number, reservedVersions = 0, reservedBytes = 0) => ({
    versions,
    bytes,
    reservedVersions,
    reservedBytes,
  })
  const roomy = usage(0, 0)
  const file = (bytes: number) => ({ addsVersion: false, bytes })
  const version = (bytes: number) => ({ addsVersion: true, bytes })

  const cases: [string, Parameters<typeof exceeded>[1], Parameters<typeof exceeded>[2], Exceeded | undefined][] = [
    ['none', { owner: roomy }, version(50), undefined],
    ['the last version', { owner: usage(9, 0) }, version(1), undefined],
    ['one version too many', { owner: usage(10, 0) }, version(1), 'versions'],
    ['one with what others make now', { owner: usage(7, 0, 3) }, version(1), 'versions'],
    ['a file of a version that is there', { owner: usage(10, 0) }, file(1), undefined],
    ['of a version that is there, beyond a limit that was lowered', { owner: usage(12, 0) }, file(1), undefined],
    ['the largest file', { owner: roomy }, file(50), undefined],
    ['a larger one', { owner: roomy }, file(51), 'file size'],
    ['a file that just fits', { owner: usage(0, 60) }, file(40), undefined],
    ['one byte more', { owner: usage(0, 60) }, file(41), 'bytes'],
    ['with what others write now', { owner: usage(0, 40, 0, 20) }, file(41), 'bytes'],
    ['nothing at all, where it is full', { owner: usage(0, 100) }, file(0), undefined],
    ['nothing at all, beyond a limit that was lowered', { owner: usage(0, 101) }, file(0), 'bytes'],
    ['versions of all owners', { owner: roomy, site: usage(19, 0, 1) }, version(1), 'versions'],
    ['bytes of all owners', { owner: roomy, site: usage(0, 160, 0, 20) }, file(21), 'bytes'],
    ['they just fit', { owner: roomy, site: usage(0, 160, 0, 20) }, file(20), undefined],
    ['all at once: the size of the file is told first', { owner: usage(10, 100) }, version(60), 'file size'],
    ['versions before bytes', { owner: usage(10, 100) }, version(50), 'versions'],
  ]

  test.each(cases)('%s', (_, usages, wanted, expected) => {
    expect(exceeded(limits, usages, wanted)).toBe(expected)
  })
})

test.each([
  ['far from the limit', 1, 10_000 * mebibyte, 1 + 16 * mebibyte],
  ['without one', 1, Infinity, 1 + 16 * mebibyte],
  ['a sixteenth of what is left', 0, 64 * mebibyte, 4 * mebibyte],
  ['near it, what has come alone', 5, 16 * mebibyte, 5],
  ['the last byte', 70, 70, 70],
])('what is reserved ahead: %s', (_, needed, room, expected) => {
  expect(stepFor(needed, room)).toBe(expected)
})

test.each([
  ['what was declared', { needed: 40, isWhole: true }, 100, 40],
  ['a step of what was not', { needed: 0, isWhole: false }, 64 * mebibyte, 4 * mebibyte],
  ['all that a limit lets pass', { needed: 2 ** 50, isWhole: true }, 2 ** 51, 2 ** 50],
  [
    'of a boast that nothing limits no more than thousands may sum up to',
    { needed: 2 ** 53 - 1, isWhole: true },
    Infinity,
    2 ** 48,
  ],
])('what is written down: %s', (_, upload, room, expected) => {
  expect(reservedFor(upload, room)).toBe(expected)
})
