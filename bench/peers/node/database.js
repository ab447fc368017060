// The statements of ../sql on a pool of connections, each prepared once a connection.

import { readFileSync } from 'node:fs'
import pg from 'pg'

const { DATABASE_URL, DATABASE_POOL, SQL_DIR } = process.env

const TIMESTAMPTZ = pg.types.builtins.TIMESTAMPTZ
const INT8 = pg.types.builtins.INT8

// PostgreSQL's text is ISO 8601 but for two characters and trailing zeros; a Date would lose the microseconds.
pg.types.setTypeParser(TIMESTAMPTZ, (text) => {
  const [, moment, fraction] = /^(.{19})(?:\.(\d+))?\+00$/.exec(text)
  return `${moment.replace(' ', 'T')}${fraction ? `.${fraction.padEnd(6, '0')}` : ''}+00:00`
})
pg.types.setTypeParser(INT8, Number) // minor units: far below 2^53

const pool = new pg.Pool({
  connectionString: DATABASE_URL,
  max: Number(DATABASE_POOL),
  idleTimeoutMillis: 0, // connections stay while other servers have their turns
  options: '-c torii.kind=anonymous -c timezone=UTC', // the row policies show what anybody may see
})

const texts = new Map()

// Rows of the statement of that name.
export async function rowsOf(name, ...values) {
  let text = texts.get(name)
  if (text === undefined) {
    text = readFileSync(`${SQL_DIR}/${name}.sql`, 'utf8')
    texts.set(name, text)
  }
  return (await pool.query({ name, text, values })).rows
}
