// The database's thread: everything that writes to SQLite runs here, so that no commit stops a download.
import { serveSqlite } from './catalogue/sqlite.ts'
import { transactions } from './transactions.ts'

declare const self: Worker

serveSqlite(transactions, self)
