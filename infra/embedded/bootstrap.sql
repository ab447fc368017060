-- What a superuser does once for Torii: roles, the database and who may enter it. Running it again changes nothing
-- but the passwords, which it reads from the environment:
--
--   export TORII_OWNER_PASSWORD=… TORII_APP_PASSWORD=… TORII_WORKER_PASSWORD=…
--   psql -X -v ON_ERROR_STOP=1 -f infra/embedded/bootstrap.sql postgresql://superuser@host/postgres
--
-- torii_owner owns the tables and migrates them; torii_app (the gateway) and torii_worker (workers, imports) own nothing.
-- torii_till is nobody's login: those two take it on for transactions that move money or stock, and have none of its
-- rights otherwise. torii_capture is nobody's either: workers read the changes of tables as it, and it may read no table.
-- None of the five may pass row-level security by. All that they may touch is granted by the migrations.
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;

\getenv owner_password TORII_OWNER_PASSWORD
\getenv app_password TORII_APP_PASSWORD
\getenv worker_password TORII_WORKER_PASSWORD
\set database torii
\getenv database TORII_DATABASE

SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', name)
FROM unnest(ARRAY['torii_owner', 'torii_app', 'torii_worker']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
SELECT 'CREATE ROLE torii_till NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'torii_till')
\gexec
GRANT torii_till TO torii_app, torii_worker WITH INHERIT FALSE, SET TRUE;
-- On a managed server, where nobody may grant REPLICATION, grant this role what stands for it (rds_replication).
SELECT 'CREATE ROLE torii_capture NOLOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'torii_capture')
\gexec
GRANT torii_capture TO torii_worker WITH INHERIT FALSE, SET TRUE;
ALTER ROLE torii_owner PASSWORD :'owner_password';
ALTER ROLE torii_app PASSWORD :'app_password';
ALTER ROLE torii_worker PASSWORD :'worker_password';

-- Bulk imports by the owner switch the triggers off for the length of their transaction.
GRANT SET ON PARAMETER session_replication_role TO torii_owner;

SELECT format('CREATE DATABASE %I OWNER torii_owner TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C.UTF-8''', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO torii_app;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO torii_worker;

\connect :"database"
SET client_min_messages = warning;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
