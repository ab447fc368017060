SELECT id, company_name, logo_url
FROM sellers.public_profiles
WHERE id = ANY($1::uuid[])
