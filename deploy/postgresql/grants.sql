-- After each `eco migrate`, as eco_owner; may be run again at any time.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO eco_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO eco_app;

-- What only grows: entries are written once.  Triggers say the same to eco_owner.
REVOKE UPDATE, DELETE ON journal, utilisation_entries FROM eco_app;

-- Signed bytes are never taken out; retention may empty them (a trigger forbids more).
REVOKE DELETE ON bodies, erased_bodies, erasures, legal_holds FROM eco_app;

-- The version of the tables is the migration's affair.
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM eco_app;
REVOKE TRUNCATE, REFERENCES, TRIGGER ON ALL TABLES IN SCHEMA public FROM eco_app;
