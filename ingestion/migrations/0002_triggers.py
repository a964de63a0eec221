"""What is sealed stays as it is: the database refuses to change it."""

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

CREATE FUNCTION ingestion_keep_sealed_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state NOT IN ('sealed', 'withdrawn') THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'sealed' AND NEW.state = 'withdrawn'
       AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'version % is sealed', OLD.id USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION ingestion_keep_sealed_files() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    row_version bigint := COALESCE(NEW.version_id, OLD.version_id);
BEGIN
    -- Originals may be erased after the seal; nothing else about a sealed version's files changes.
    IF EXISTS (SELECT 1 FROM ingestion_version WHERE id = row_version AND state IN ('sealed', 'withdrawn'))
       AND NOT (TG_OP = 'DELETE' AND OLD.role = 'source') THEN
        RAISE EXCEPTION 'version % is sealed', row_version
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
"""

TRIGGERS = """
CREATE TRIGGER keep_sealed BEFORE UPDATE OR DELETE ON ingestion_version
    FOR EACH ROW EXECUTE FUNCTION ingestion_keep_sealed_version();
CREATE TRIGGER keep_sealed BEFORE INSERT OR UPDATE OR DELETE ON ingestion_file
    FOR EACH ROW EXECUTE FUNCTION ingestion_keep_sealed_files();
CREATE TRIGGER keep_terms BEFORE UPDATE ON ingestion_consentrecord
    FOR EACH ROW EXECUTE FUNCTION commonhold_allow_only('withdrawn_at');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingestion_consentevent
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingestion_logentry
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingestion_lognode
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingestion_checkpoint
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
"""

DROP = """
DROP TRIGGER keep_sealed ON ingestion_version;
DROP TRIGGER keep_sealed ON ingestion_file;
DROP TRIGGER keep_terms ON ingestion_consentrecord;
DROP TRIGGER append_only ON ingestion_consentevent;
DROP TRIGGER append_only ON ingestion_logentry;
DROP TRIGGER append_only ON ingestion_lognode;
DROP TRIGGER append_only ON ingestion_checkpoint;
DROP FUNCTION ingestion_keep_sealed_files;
DROP FUNCTION ingestion_keep_sealed_version;
DROP FUNCTION commonhold_allow_only;
DROP FUNCTION commonhold_refuse_change;
"""


class Migration(migrations.Migration):
    """Sealed versions, the log and consent terms are kept by triggers."""

    dependencies: ClassVar = [("ingestion", "0001_initial")]
    operations: ClassVar = [migrations.RunSQL(FUNCTIONS + TRIGGERS, DROP)]
