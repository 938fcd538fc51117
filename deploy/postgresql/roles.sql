-- Once per server, as its administrator.  Two roles with the least they need:
--   eco_owner  owns the tables; used by `eco migrate` and `eco restore`, by nothing that runs.
--   eco_app    reads and writes rows; used by `eco serve`, `eco work` and every other command.
-- Passwords are not set here: `\password eco_owner`, `\password eco_app`, or certificates.
CREATE ROLE eco_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
CREATE ROLE eco_app   LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE eco_app SET search_path = public;
ALTER ROLE eco_app SET idle_in_transaction_session_timeout = '2min';
ALTER ROLE eco_app CONNECTION LIMIT 200;
CREATE DATABASE eco OWNER eco_owner ENCODING 'UTF8' TEMPLATE template0;
