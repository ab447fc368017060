SELECT id, seller_id, category_id, brand_id, sku, slug, name, currency, base_price, sale_price, stock_quantity, status, published_at
FROM catalog.products
WHERE status = 'active'
ORDER BY published_at DESC, id DESC
LIMIT $1
