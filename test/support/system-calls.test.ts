import { expect, test } from 'bun:test'
import { systemCalls } from './system-calls.ts'

test('calls are read as strace writes them, also those that stand in two lines', () => {
  const written = `\
71 openat(AT_FDCWD</data>, "/data/blobs/1/0/a", O_RDONLY|O_CLOEXEC) = 23</data/blobs/1/0/a>
71 read(23</data/blobs/1/0/a>,  <unfinished ...>
72 futex(0x69dec0, FUTEX_WAIT_PRIVATE, 0, {tv_sec=30, tv_nsec=0} <unfinished ...>
71 <... read resumed>""..., 1024)  = 1024
71 openat(AT_FDCWD</data>, "/data/none", O_RDONLY) = -1 ENOENT (No such file or directory)
70 fsync(11</data/stowage.db-wal>)  = 0 (DELAYED)
70 <... epoll_pwait2 resumed>[], 1024, NULL, [], 8) = 0
70 sendfile(17<socket:[9]>, 23</data/blobs/1/0/a>, [0] => [1048576], 2147483647) = 1048576
70 +++ exited with 0 +++
72 <... futex resumed> <detached ...>
`
  expect(systemCalls(written)).toEqual([
    { name: 'openat', args: 'AT_FDCWD</data>, "/data/blobs/1/0/a", O_RDONLY|O_CLOEXEC', result: 23 },
    { name: 'read', args: '23</data/blobs/1/0/a>,""..., 1024', result: 1024 },
    { name: 'futex', args: expect.stringContaining('FUTEX_WAIT'), result: Number.NaN },
    { name: 'openat', args: 'AT_FDCWD</data>, "/data/none", O_RDONLY', result: -1 },
    { name: 'fsync', args: '11</data/stowage.db-wal>', result: 0 },
    { name: 'sendfile', args: '17<socket:[9]>, 23</data/blobs/1/0/a>, [0] => [1048576], 2147483647', result: 1048576 },
  ])
})
