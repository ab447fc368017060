// One DataLoader a kind of thing, new for each request: whatever a level asks for is one statement.

import DataLoader from 'dataloader'
import { rowsOf } from './database.js'

const one = (statement, key = 'id') =>
  new DataLoader(async (ids) => {
    const rows = new Map((await rowsOf(statement, ids)).map((row) => [row[key], row]))
    return ids.map((id) => rows.get(id) ?? null)
  })

const many = (statement, ...values) =>
  new DataLoader(async (ids) => {
    const lists = new Map(ids.map((id) => [id, []]))
    for (const row of await rowsOf(statement, ids, ...values)) lists.get(row.product_id).push(row)
    return ids.map((id) => lists.get(id))
  })

export class Loaders {
  products = one('products')
  images = many('images')
  sellers = one('sellers')
  categories = one('categories')
  brands = one('brands')
  ratings = one('ratings', 'product_id')
  authors = one('authors')
  #reviews = new Map()

  reviews(first) {
    let loader = this.#reviews.get(first)
    if (loader === undefined) {
      loader = many('reviews', first)
      this.#reviews.set(first, loader)
    }
    return loader
  }
}
