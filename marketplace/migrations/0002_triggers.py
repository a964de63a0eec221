"""The ledger balances, and is never edited."""

from typing import ClassVar

from django.db import migrations

TRIGGERS = """
CREATE FUNCTION marketplace_ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unbalanced text;
BEGIN
    SELECT string_agg(currency || ' ' || total, ', ') INTO unbalanced
    FROM (SELECT currency, sum(amount_minor) AS total FROM marketplace_ledgerentry
          WHERE transaction_id = NEW.transaction_id GROUP BY currency) sums
    WHERE total <> 0;
    IF unbalanced IS NOT NULL THEN
        RAISE EXCEPTION 'ledger transaction % does not sum to zero: %', NEW.transaction_id, unbalanced
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_balances AFTER INSERT ON marketplace_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION marketplace_ledger_balances();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON marketplace_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON marketplace_ledgertransaction
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER keep_row BEFORE UPDATE OR DELETE ON marketplace_price
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
CREATE TRIGGER keep_amounts BEFORE UPDATE ON marketplace_order
    FOR EACH ROW EXECUTE FUNCTION commonhold_allow_only('state');
CREATE TRIGGER keep_row BEFORE DELETE ON marketplace_order
    FOR EACH ROW EXECUTE FUNCTION commonhold_refuse_change();
"""

DROP = """
DROP TRIGGER ledger_balances ON marketplace_ledgerentry;
DROP TRIGGER append_only ON marketplace_ledgerentry;
DROP TRIGGER append_only ON marketplace_ledgertransaction;
DROP TRIGGER keep_row ON marketplace_price;
DROP TRIGGER keep_amounts ON marketplace_order;
DROP TRIGGER keep_row ON marketplace_order;
DROP FUNCTION marketplace_ledger_balances;
"""


class Migration(migrations.Migration):
    """Ledger, prices and orders are kept by triggers."""

    dependencies: ClassVar = [("marketplace", "0001_initial"), ("accounts", "0002_triggers")]
    operations: ClassVar = [migrations.RunSQL(TRIGGERS, DROP)]
