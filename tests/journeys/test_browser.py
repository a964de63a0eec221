"""The whole walk in a browser: two newcomers, from joining to a verified manifest, by the pages."""

from contextlib import closing

import pytest

from tests.journeys import buyer, clinic_hours, contributor
from tests.journeys.browser import Desk, launched

pytestmark = pytest.mark.xdist_group("site")
STATION, COMPANY = "Radio Hill Side", "Plain Speech Ltd"


def test_two_newcomers_go_from_upload_to_verified_manifest_in_a_browser(site, tmp_path):
    tape, mailbox = clinic_hours.record(tmp_path / "tape"), site.data_dir / "mail"
    with launched() as chromium, closing(Desk(chromium, site.url)) as desk:
        contributor.join(
            desk, mailbox, name="Amina", email="amina@hill.example", organization=STATION
        )
        contributor.begin_dataset(desk)
        contributor.upload(desk, tape)
        contributor.consent_by_form(desk, tape)
        contributor.consent_by_table(desk, tmp_path)
        contributor.watch_the_pipeline(desk)
        contributor.review(desk)
        contributor.seal(desk)
        contributor.offer(desk)
        contributor.leave(desk)

        contributor.join(desk, mailbox, name="Max", email="max@plain.example", organization=COMPANY)
        buyer.find(desk, publisher=STATION, title=contributor.TITLE)
        buyer.listen(desk)
        buyer.buy(desk, publisher=STATION, licensee=COMPANY)
        manifest = buyer.take(desk, tmp_path, title=contributor.TITLE)
        buyer.verify(desk, manifest, title=contributor.TITLE)
