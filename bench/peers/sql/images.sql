SELECT product_id, image_url, alt_text
FROM catalog.product_images
WHERE product_id = ANY($1::uuid[])
ORDER BY product_id, sort_order, id
