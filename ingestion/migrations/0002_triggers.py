"""What is sealed stays as it is: the database refuses to change it."""

from typing import ClassVar

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION ingestion_keep_sealed_version() RETURNS trigger LANGUAGE plpgsql AS $$
-- How consent stands, who relies on it and whether it was taken back may change after the seal.
DECLARE
    later text[] := ARRAY['consent_state', 'relied_on_at'];
BEGIN
    IF OLD.state NOT IN ('sealed', 'withdrawn') THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.state = 'sealed' AND NEW.state = 'withdrawn' THEN
        later := later || ARRAY['state', 'withdrawn_at'];
    END IF;
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - later = to_jsonb(OLD) - later THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'version % is sealed', OLD.id USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION ingestion_keep_sealed_parts() RETURNS trigger LANGUAGE plpgsql AS $$
-- Nothing is added to, or taken from, what a sealed version consists of. The arguments name the
-- columns that may change all the same.
DECLARE
    row_version bigint := COALESCE(NEW.version_id, OLD.version_id);
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV THEN
        RETURN NEW;
    END IF;
    IF EXISTS (
        SELECT 1 FROM ingestion_version
        WHERE id = row_version AND state IN ('sealed', 'withdrawn')
    ) THEN
        RAISE EXCEPTION 'version % is sealed', row_version
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;

CREATE FUNCTION ingestion_keep_taken_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT OLD.withdrawn_purposes <@ NEW.withdrawn_purposes THEN
        RAISE EXCEPTION 'what was taken back of consent % stays taken back', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER keep_sealed BEFORE UPDATE OR DELETE ON ingestion_version
    FOR EACH ROW EXECUTE FUNCTION ingestion_keep_sealed_version();
CREATE TRIGGER keep_reliance BEFORE UPDATE ON ingestion_version
    FOR EACH ROW EXECUTE FUNCTION commonhold_set_once('relied_on_at');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingestion_seal
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER keep_sealed BEFORE INSERT OR UPDATE OR DELETE ON ingestion_file
    FOR EACH ROW EXECUTE FUNCTION ingestion_keep_sealed_parts('key');
CREATE TRIGGER keep_sealed BEFORE INSERT OR UPDATE OR DELETE ON ingestion_releasefile
    FOR EACH ROW EXECUTE FUNCTION ingestion_keep_sealed_parts();
CREATE TRIGGER keep_sealed BEFORE INSERT OR UPDATE OR DELETE ON ingestion_releaseconsent
    FOR EACH ROW EXECUTE FUNCTION ingestion_keep_sealed_parts(
        'record_id', 'speaker_id', 'withdrawn_purposes', 'ended', 'ended_at');
CREATE TRIGGER keep_sealed BEFORE INSERT OR UPDATE OR DELETE ON ingestion_leftout
    FOR EACH ROW EXECUTE FUNCTION ingestion_keep_sealed_parts();
CREATE TRIGGER append_only BEFORE UPDATE ON ingestion_releasefileconsent
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE ON ingestion_redaction
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER keep_terms BEFORE UPDATE ON ingestion_consentrecord
    FOR EACH ROW EXECUTE FUNCTION commonhold_allow_only(
        'withdrawn_at', 'withdrawn_purposes', 'voided_at', 'void_reason');
CREATE TRIGGER keep_end BEFORE UPDATE ON ingestion_consentrecord
    FOR EACH ROW EXECUTE FUNCTION commonhold_set_once('withdrawn_at', 'voided_at');
CREATE TRIGGER keep_taken_back BEFORE UPDATE ON ingestion_consentrecord
    FOR EACH ROW EXECUTE FUNCTION ingestion_keep_taken_back();
CREATE TRIGGER keep_number BEFORE UPDATE ON ingestion_recording
    FOR EACH ROW EXECUTE FUNCTION commonhold_set_once('number', 'erased_at');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingestion_consentevent
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingestion_news
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE ON ingestion_decision
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
"""

DROP = """
DROP FUNCTION ingestion_keep_sealed_parts CASCADE;
DROP FUNCTION ingestion_keep_sealed_version CASCADE;
DROP FUNCTION ingestion_keep_taken_back CASCADE;
DROP TRIGGER keep_reliance ON ingestion_version;
DROP TRIGGER append_only ON ingestion_seal;
DROP TRIGGER append_only ON ingestion_releasefileconsent;
DROP TRIGGER append_only ON ingestion_redaction;
DROP TRIGGER keep_terms ON ingestion_consentrecord;
DROP TRIGGER keep_end ON ingestion_consentrecord;
DROP TRIGGER keep_number ON ingestion_recording;
DROP TRIGGER append_only ON ingestion_consentevent;
DROP TRIGGER append_only ON ingestion_news;
DROP TRIGGER append_only ON ingestion_decision;
"""


class Migration(migrations.Migration):
    """Sealed versions, consent terms, news and the log are kept by triggers."""

    dependencies: ClassVar = [
        ("ingestion", "0001_initial"),
        ("accounts", "0002_triggers"),
    ]
    operations: ClassVar = [migrations.RunSQL(FUNCTIONS + TRIGGERS, DROP)]
