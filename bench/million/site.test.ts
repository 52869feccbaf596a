import { expect, test } from 'bun:test'
import { blobPattern, checkedLocation } from '../../server/blobs/locations.ts'
import { addressOf, contentOf, fileSize, locationOf, placeOf } from './site.ts'

const site = { packages: 7, versionsOfEach: 3 }
const files = Array.from({ length: 21 }, (_, file) => file)

test('every file has an address, a place and content of its own', () => {
  const distinct = (values: string[]) => new Set(values).size
  expect(distinct(files.map((file) => addressOf(site, file)))).toBe(21)
  expect(distinct(files.map((file) => JSON.stringify(placeOf(site, file))))).toBe(21)
  expect(distinct(files.map((file) => locationOf(file).name))).toBe(21)
  expect(distinct(files.map((file) => Bun.SHA256.hash(contentOf(file), 'hex')))).toBe(21)
})

test.each([0, 4_095, 4_096, 999_999])('the location of file %d is one that the blob store takes', (file) => {
  const { folder, name } = locationOf(file)
  expect(name).toMatch(blobPattern)
  expect(checkedLocation(`${folder}/${name}`)).toEndWith(name)
  expect(contentOf(file)).toHaveLength(fileSize)
})

test.each([
  [0, `${'beac'.padEnd(20, '0')}/0`],
  [4_095, `${'beac'.padEnd(20, '0')}/0`],
  [4_096, `${'beac'.padEnd(20, '0')}/1`],
  [999_999, `${'beac'.padEnd(20, '0')}/6s`],
])('4,096 files share a folder: file %d is in %s', (file, folder) => {
  expect(locationOf(file).folder).toBe(folder)
})
