// Torii's own schema with resolvers for what the operations show.

import { readFileSync } from 'node:fs'
import { makeExecutableSchema } from '@graphql-tools/schema'
import { rowsOf } from './database.js'

const MINOR_DIGITS = { JPY: 0, KRW: 0, USD: 2, GBP: 2, EUR: 2 }
const LOW_STOCK = 5

// Global ids: the type, a colon and the sixteen bytes of the key, in base64url.
function globalId(type) {
  const prefix = Buffer.from(`${type}:`)
  return ({ id }) => Buffer.concat([prefix, Buffer.from(id.replaceAll('-', ''), 'hex')]).toString('base64url')
}

function keyOf(globalId, type) {
  const plain = Buffer.from(globalId, 'base64url')
  if (plain.subarray(0, -16).toString() !== `${type}:`) throw new Error(`${globalId} is no ${type}`)
  const hex = plain.subarray(-16).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function money(minor, currencyCode) {
  const digits = MINOR_DIGITS[currencyCode]
  if (digits === 0) return { amount: String(minor), currencyCode }
  const text = String(minor).padStart(digits + 1, '0')
  return { amount: `${text.slice(0, -digits)}.${text.slice(-digits)}`, currencyCode }
}

function availability({ status, stock_quantity: stock }) {
  if (status === 'draft' || status === 'discontinued') return 'UNAVAILABLE'
  if (stock <= 0) return 'OUT_OF_STOCK'
  return stock <= LOW_STOCK ? 'LOW_STOCK' : 'IN_STOCK'
}

// To two digits, halves to the even digit.
function mean(total, count) {
  if (!count) return null
  const value = total / count
  const isHalf = Number.isInteger(value * 8) && !Number.isInteger(value * 4)
  return isHalf ? (Math.round(value * 50) * 2) / 100 : Number(value.toFixed(2))
}

function products(_, { first, after, sort }) {
  const size = first ?? 20
  if (size < 0 || size > 100) throw new Error('first is 0 to 100')
  if (sort === 'NEWEST' && after == null) return rowsOf('products_newest', size)
  if (sort !== 'NAME') throw new Error('sort is NAME, or NEWEST without after')
  if (after == null) return rowsOf('products_by_name', size)
  const [, name, id] = JSON.parse(Buffer.from(after, 'base64url'))
  return rowsOf('products_by_name_after', size, name, id)
}

const resolvers = {
  Query: {
    product: (_, { id }, { loaders }) => loaders.products.load(keyOf(id, 'Product')),
    products: async (...call) => ({ nodes: await products(...call) }),
  },
  Product: {
    id: globalId('Product'),
    availability,
    stockQuantity: (product) => product.stock_quantity,
    isOnSale: (product) => product.sale_price !== null && product.sale_price < product.base_price,
    publishedAt: (product) => product.published_at,
    price: (product) => money(product.sale_price ?? product.base_price, product.currency),
    images: (product, _, { loaders }) => loaders.images.load(product.id),
    seller: (product, _, { loaders }) => loaders.sellers.load(product.seller_id),
    category: (product, _, { loaders }) => loaders.categories.load(product.category_id),
    brand: (product, _, { loaders }) => product.brand_id && loaders.brands.load(product.brand_id),
    rating: async (product, _, { loaders }) =>
      (await loaders.ratings.load(product.id)) ?? { rating_count: 0, rating_total: 0 },
    reviews: async (product, { first }, { loaders }) => ({ nodes: await loaders.reviews(first ?? 20).load(product.id) }),
  },
  ProductImage: { url: (image) => image.image_url, altText: (image) => image.alt_text },
  Seller: { id: globalId('Seller'), name: (seller) => seller.company_name, logoUrl: (seller) => seller.logo_url },
  Category: { id: globalId('Category') },
  Brand: { id: globalId('Brand') },
  Rating: {
    average: (rating) => mean(rating.rating_total, rating.rating_count),
    count: (rating) => rating.rating_count,
  },
  Review: {
    id: globalId('Review'),
    createdAt: (review) => review.created_at,
    author: (review, _, { loaders }) => review.user_id && loaders.authors.load(review.user_id),
  },
  Author: { displayName: (author) => author.display_name, avatarUrl: (author) => author.avatar_url },
}

export const schema = makeExecutableSchema({
  typeDefs: readFileSync(process.env.SCHEMA, 'utf8'),
  resolvers,
  resolverValidationOptions: { requireResolversForResolveType: 'ignore' },
})
