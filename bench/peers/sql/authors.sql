SELECT id, display_name, avatar_url
FROM accounts.authors
WHERE id = ANY($1::uuid[])
