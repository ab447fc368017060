SELECT product_id, rating_count, rating_total
FROM reviews.product_ratings
WHERE product_id = ANY($1::uuid[])
