SELECT newest.*
FROM unnest($1::uuid[]) AS wanted (product_id)
JOIN LATERAL (
    SELECT id, product_id, user_id, rating, title, created_at
    FROM reviews.reviews
    WHERE reviews.product_id = wanted.product_id
    ORDER BY created_at DESC, id DESC
    LIMIT $2
) AS newest ON true
