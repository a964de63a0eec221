"""Terms that were offered or granted are never edited."""

from typing import ClassVar

from django.db import migrations

TRIGGERS = """
CREATE TRIGGER keep_terms BEFORE UPDATE ON licensing_offer
    FOR EACH ROW EXECUTE FUNCTION commonhold_allow_only('closed_at', 'closed_because');
CREATE TRIGGER keep_row BEFORE DELETE ON licensing_offer
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER keep_terms BEFORE UPDATE ON licensing_grant
    FOR EACH ROW EXECUTE FUNCTION commonhold_allow_only('state', 'revoked_at');
CREATE TRIGGER keep_row BEFORE DELETE ON licensing_grant
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER keep_end BEFORE UPDATE ON licensing_offer
    FOR EACH ROW EXECUTE FUNCTION commonhold_set_once('closed_at');
CREATE TRIGGER keep_end BEFORE UPDATE ON licensing_grant
    FOR EACH ROW EXECUTE FUNCTION commonhold_set_once('revoked_at');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON licensing_news
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON licensing_accessrecord
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
"""

DROP = """
DROP TRIGGER keep_end ON licensing_offer;
DROP TRIGGER keep_end ON licensing_grant;
DROP TRIGGER append_only ON licensing_news;
DROP TRIGGER keep_terms ON licensing_offer;
DROP TRIGGER keep_row ON licensing_offer;
DROP TRIGGER keep_terms ON licensing_grant;
DROP TRIGGER keep_row ON licensing_grant;
DROP TRIGGER append_only ON licensing_accessrecord;
"""


class Migration(migrations.Migration):
    """Offers, grants and access records are kept by triggers."""

    dependencies: ClassVar = [("licensing", "0001_initial"), ("ingestion", "0002_triggers")]
    operations: ClassVar = [migrations.RunSQL(TRIGGERS, DROP)]
