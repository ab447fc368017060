"""Operations to begin with: GraphiQL opens them as tabs, and a test runs each of them."""

WHOLE_MARKETPLACE = """\
# One query across the whole marketplace. Sign in with
#   torii token buyer@example.com
# and set the header  { "Authorization": "Bearer ..." }  below to see the orders.
query Marketplace {
  viewer {
    displayName
    orders(first: 3) {
      nodes { orderNumber status total { amount currencyCode } items { name quantity } }
    }
  }
  cart {
    totalQuantity
    lines { quantity product { name price { amount } } }
  }
  recommendations(first: 5) {
    nodes {
      reason
      product {
        name
        price { amount currencyCode }
        seller { name }
        rating { average count }
        reviews(first: 3) { nodes { rating title author { displayName } } }
      }
    }
  }
  search(query: "お茶", first: 5) {
    totalCount { value precision }
    nodes { score product { name availability } }
  }
}
"""

PRODUCTS = """\
query NewestProducts {
  products(sort: NEWEST, first: 10, filter: { inStock: true, price: { max: "5000" } }) {
    nodes {
      id name slug availability
      price { amount currencyCode } basePrice { amount }
      category { path { name } }
      brand { name }
      images { url altText }
      variations { name price { amount } stockQuantity }
    }
    pageInfo { hasNextPage endCursor }
    totalCount { value precision }
  }
}
"""

CART = """\
# Works signed out too: the answer's X-Guest-Token header is your guest identity (a cookie keeps it here).
# Put in the id of a product without variations.
mutation AddToCart($productId: ID = "") {
  cartItemAdd(input: { productId: $productId, quantity: 2 }) {
    cart { totalQuantity lines { id quantity product { name } } }
    userErrors { code message field }
    warnings { code requested applied }
  }
}
"""

SEARCH = """\
# Send the token of a value back in the filter: { "tokens": ["stock:in"] }
query Search($filter: SearchFilter) {
  search(query: "", filter: $filter, sort: RELEVANCE, first: 10) {
    totalCount { value precision }
    facets {
      kind name
      values { token count isSelected value category { name } brand { name } seller { name } priceMin { amount } }
    }
    nodes { score product { name price { amount currencyCode } availability } }
    pageInfo { hasNextPage endCursor }
    indexedAt
  }
}
"""

EXAMPLES = [WHOLE_MARKETPLACE, PRODUCTS, SEARCH, CART]
