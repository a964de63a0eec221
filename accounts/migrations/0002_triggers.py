"""What is written down of who did what stays: the database refuses to change it.

The functions serve the layers above too.
"""

from typing import ClassVar

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION commonhold_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed (%)', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION commonhold_allow_only() RETURNS trigger LANGUAGE plpgsql AS $$
-- The arguments name the columns that may change.
BEGIN
    IF to_jsonb(NEW) - TG_ARGV <> to_jsonb(OLD) - TG_ARGV THEN
        RAISE EXCEPTION '% rows may change only in %', TG_TABLE_NAME, TG_ARGV
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION commonhold_set_once() RETURNS trigger LANGUAGE plpgsql AS $$
-- The arguments name the columns that may go from null to a value, and never from a value.
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY TG_ARGV LOOP
        IF to_jsonb(OLD) ->> name IS NOT NULL
           AND to_jsonb(NEW) -> name IS DISTINCT FROM to_jsonb(OLD) -> name THEN
            RAISE EXCEPTION '%.% is set once', TG_TABLE_NAME, name
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
"""

DROP = """
DROP TRIGGER append_only ON accounts_auditentry;
DROP FUNCTION commonhold_set_once;
DROP FUNCTION commonhold_allow_only;
DROP FUNCTION commonhold_refuse_change;
"""


class Migration(migrations.Migration):
    """Audit entries are kept by a trigger."""

    dependencies: ClassVar = [("accounts", "0001_initial")]
    operations: ClassVar = [migrations.RunSQL(FUNCTIONS + TRIGGERS, DROP)]
