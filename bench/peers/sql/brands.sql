SELECT id, name
FROM catalog.brands
WHERE id = ANY($1::uuid[]) AND is_active
