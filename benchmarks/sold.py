"""Datasets of which a license was sold, and what is to be seen of a withdrawal from outside."""

import json
import time

from commonhold.statuslist import check_status_list
from django.db import connection

from accounts import organizations
from accounts.models import Organization, Scope
from benchmarks.running import Site
from notary import keys, status
from notary.models import StatusList
from tests import factories, sealed, trade

PATIENCE_S = 120.0
SETTLE_S = 30.0
IDLE_S = 60.0
WITHDRAWN = 1


def key_of(organization: Organization, *scopes: Scope) -> str:
    """Return a new API key of an organization's owner."""
    owner = factories.owner_of(organization)
    _, secret = organizations.issue_key(
        organization=organization, user=owner, name="benchmark", scopes=scopes
    )
    return secret


class Sold:
    """A dataset with two speakers, one offer and one buyer."""

    def __init__(self) -> None:
        self.title = f"Measured{next(factories.numbers)}"
        version = sealed.version(sealed.dataset(title=self.title))
        self.grant = trade.grant(trade.offer(version))
        trade.follow()
        dataset = self.grant.version.dataset
        self.path = f"/api/v1/datasets/{dataset}"
        self.record = dataset.consent_records.order_by("pk")[0]
        self.publisher = key_of(dataset.organization, Scope.CONTRIBUTE, Scope.READ)
        self.buyer = key_of(self.grant.licensee, Scope.DOWNLOAD)

    def withdraw(self, site: Site) -> float:
        """Withdraw one speaker's consent; return the seconds until everybody outside knows."""
        if self.is_known(site):
            message = "it was known before anybody withdrew"
            raise SystemExit(message)
        began = time.monotonic()
        path = f"{self.path}/consent/{self.record.pk}/withdraw"
        answered, body = site.ask(path, key=self.publisher, method="POST")
        if answered != 200:
            message = f"the withdrawal was answered {answered}: {body.decode()}"
            raise SystemExit(message)
        while not self.is_known(site):
            if time.monotonic() - began > PATIENCE_S:
                message = f"nobody knew of it after {PATIENCE_S} s"
                raise SystemExit(message)
            time.sleep(0.05)
        return time.monotonic() - began

    def is_known(self, site: Site) -> bool:
        """Tell whether offer, listing, download and status list all say that she withdrew."""
        return (
            self.offer_is_closed(site)
            and self.listing_allows_nothing(site)
            and self.download_is_refused(site)
            and self.list_says_withdrawn(site)
        )

    def offer_is_closed(self, site: Site) -> bool:
        """Tell whether the offer was closed because of the consent."""
        _, body = site.ask(f"/api/v1/offers/{self.grant.offer_id}")
        return bool(json.loads(body)["closed_because"] == "consent")

    def listing_allows_nothing(self, site: Site) -> bool:
        """Tell whether the dataset is found by nobody who asks for what it allowed."""
        _, body = site.ask(f"/api/v1/datasets?allows=commercial&q={self.title}")
        return bool(json.loads(body)["results"] == [])

    def download_is_refused(self, site: Site) -> bool:
        """Tell whether the buyer may take the release no more."""
        answered, _ = site.ask(f"/api/v1/grants/{self.grant.pk}/release", key=self.buyer)
        return answered == 403

    def list_says_withdrawn(self, site: Site) -> bool:
        """Tell whether the status list, as served and signed, says so."""
        place = status.place_of(name="consent", index=self.record.status_index)
        number = StatusList.objects.get(uri=place.uri).number
        _, token = site.ask(f"/status/consent/{number}")
        found = check_status_list(
            token.decode(), [keys.public(keys.in_use(keys.Purpose.STATUS).keyid)], place.uri
        )
        return found.status(place.position) == WITHDRAWN


def rows_read_per_second() -> float:
    """Return how many rows the database reads for a site on which nobody does anything."""
    time.sleep(SETTLE_S)
    before = rows_read()
    time.sleep(IDLE_S)
    return (rows_read() - before) / IDLE_S


def rows_read() -> int:
    """Return how many rows of Commonhold's tables were read since the database was made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables "
            "WHERE relname ~ '^(accounts|ingestion|licensing|marketplace|notary)_'"
        )
        (rows,) = cursor.fetchone()
    return int(rows)
