"""What was signed stays as it is, and what is withdrawn stays withdrawn: the database sees to it."""

from typing import ClassVar

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION notary_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed (%)', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION notary_fill_once() RETURNS trigger LANGUAGE plpgsql AS $$
-- The argument names the one column that may go from null to a value.
BEGIN
    IF to_jsonb(NEW) - TG_ARGV[0] <> to_jsonb(OLD) - TG_ARGV[0]
       OR to_jsonb(OLD) ->> TG_ARGV[0] IS NOT NULL OR to_jsonb(NEW) ->> TG_ARGV[0] IS NULL THEN
        RAISE EXCEPTION '% rows may only be given their %', TG_TABLE_NAME, TG_ARGV[0]
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION notary_keep_status_list() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- Each pair of bits is one place: the high bit, then the low one.
    low CONSTANT bit(262144) := repeat('01', 131072)::bit(262144);
    was bit(262144) := ('x' || encode(OLD.statuses, 'hex'))::bit(262144);
    becomes bit(262144) := ('x' || encode(NEW.statuses, 'hex'))::bit(262144);
    withdrawn bit(262144) := was & ~(was >> 1) & low;
    taken bit(262144) := (was | (was >> 1)) & low;
BEGIN
    IF (NEW.id, NEW.name, NEW.number, NEW.uri) <> (OLD.id, OLD.name, OLD.number, OLD.uri) THEN
        RAISE EXCEPTION 'status list % keeps its name and address', OLD.uri
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.sequence < OLD.sequence OR (NEW.sequence = OLD.sequence AND NEW.statuses <> OLD.statuses) THEN
        RAISE EXCEPTION 'status list % changes only with its sequence', OLD.uri
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (becomes & ~(becomes >> 1) & withdrawn) <> withdrawn
       OR ((becomes | (becomes >> 1)) & taken) <> taken THEN
        RAISE EXCEPTION 'in status list % nothing becomes valid again', OLD.uri
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""

TRIGGERS = """
ALTER TABLE notary_statuslist
    ADD CONSTRAINT status_list_has_its_length CHECK (octet_length(statuses) = 32768);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notary_instance
    FOR EACH ROW EXECUTE FUNCTION notary_refuse_change();
CREATE TRIGGER keep_row BEFORE DELETE ON notary_signingkey
    FOR EACH ROW EXECUTE FUNCTION notary_refuse_change();
CREATE TRIGGER retire_once BEFORE UPDATE ON notary_signingkey
    FOR EACH ROW EXECUTE FUNCTION notary_fill_once('valid_until');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notary_trustedroot
    FOR EACH ROW EXECUTE FUNCTION notary_refuse_change();
CREATE TRIGGER keep_row BEFORE DELETE ON notary_logentry
    FOR EACH ROW EXECUTE FUNCTION notary_refuse_change();
CREATE TRIGGER integrate_once BEFORE UPDATE ON notary_logentry
    FOR EACH ROW EXECUTE FUNCTION notary_fill_once('index');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notary_lognode
    FOR EACH ROW EXECUTE FUNCTION notary_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notary_checkpoint
    FOR EACH ROW EXECUTE FUNCTION notary_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notary_statement
    FOR EACH ROW EXECUTE FUNCTION notary_refuse_change();
CREATE TRIGGER keep_row BEFORE DELETE ON notary_statuslist
    FOR EACH ROW EXECUTE FUNCTION notary_refuse_change();
CREATE TRIGGER keep_withdrawn BEFORE UPDATE ON notary_statuslist
    FOR EACH ROW EXECUTE FUNCTION notary_keep_status_list();
CREATE TRIGGER keep_row BEFORE DELETE ON notary_statuschange
    FOR EACH ROW EXECUTE FUNCTION notary_refuse_change();
CREATE TRIGGER publish_once BEFORE UPDATE ON notary_statuschange
    FOR EACH ROW EXECUTE FUNCTION notary_fill_once('applied_in');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notary_statusstate
    FOR EACH ROW EXECUTE FUNCTION notary_refuse_change();
"""

# Triggers go with their tables; sequences of status lists are made at first use.
DROP = """
DROP FUNCTION notary_keep_status_list CASCADE;
DROP FUNCTION notary_fill_once CASCADE;
DROP FUNCTION notary_refuse_change CASCADE;
ALTER TABLE notary_statuslist DROP CONSTRAINT status_list_has_its_length;
DO $$
DECLARE
    sequence text;
BEGIN
    FOR sequence IN SELECT sequencename FROM pg_sequences WHERE sequencename LIKE 'notary\\_status\\_%' LOOP
        EXECUTE format('DROP SEQUENCE %I', sequence);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    """Keys, the log, statements and status lists are kept by triggers."""

    dependencies: ClassVar = [("notary", "0001_initial")]
    operations: ClassVar = [migrations.RunSQL(FUNCTIONS + TRIGGERS, DROP)]
