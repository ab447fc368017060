SELECT id, name, slug
FROM catalog.categories
WHERE id = ANY($1::uuid[]) AND is_active
