"""`search`, `quote`, `buy`."""

import json
import uuid
from pathlib import Path
from typing import Any

import click

from commonhold import shapes
from commonhold.canonical import sha256_hex
from commonhold.client import Client, dataset_path
from commonhold.errors import CommonholdError
from commonhold.pins import state_dir, write_private
from commonhold.purposes import BY_SLUG
from commonhold.sentences import _
from commonhold.terminal import REFUSED, Outcome, duration, money, reporting

PRICE_PARTS = ("price", "fee", "total")


class TermsError(CommonholdError):
    """Terms that are not what they claim to be, or an offer that is not of this dataset."""

    code = "terms-mismatch"
    status = 409


def _summary(found: dict[str, Any]) -> list[str]:
    name = f"{found['organization']['slug']}/{found['slug']}"
    offers = [
        f"    {offer['id']}  {offer['license']['name']}  "
        + money(offer["total_minor"], offer["price"]["currency"])
        for offer in found["offers"]
    ]
    facts = [found["language"], found["task"], duration(found["duration_ms"])]
    return [f"{name}  {found['title']}", f"    {', '.join(facts)}", *offers]


@click.command()
@click.argument("query", default="")
@click.option("--language", help="Language tag, such as de or fr-CA.")
@click.option("--task", help="Task, such as speech-recognition.")
@click.option("--allows", type=click.Choice(sorted(BY_SLUG)), help="Purpose that must be allowed.")
@click.option("--price", type=click.Choice(["free", "paid"]), help="Only free, or only paid.")
@reporting
def search(**facets: str | None) -> Outcome:
    """Find datasets by words, language, task and what they may be used for."""
    params = {("q" if key == "query" else key): value for key, value in facets.items() if value}
    with Client() as client:
        found = list(client.pages("datasets", params, shapes.SUMMARY))
    lines = [line for dataset in found for line in _summary(dataset)]
    return Outcome({"count": len(found), "results": found}, lines or ["Nothing fits that."])


def _quote(client: Client, dataset: str, offer: str) -> dict[str, Any]:
    offers = client.request("GET", dataset_path(client.full_name(dataset), "offers"), shapes.OFFERS)
    known = offers["results"] if isinstance(offers, dict) else offers
    if offer not in {str(entry["id"]) for entry in known}:
        ids = ", ".join(str(entry["id"]) for entry in known) or _("none")
        sentence = _("%(dataset)s has no offer %(offer)s. Its offers: %(known)s.")
        raise TermsError(sentence, dataset=dataset, offer=offer, known=ids)
    quoted: dict[str, Any] = client.request("GET", f"offers/{offer}/quote", shapes.QUOTE)
    if sha256_hex(quoted["terms_text"].encode()) != quoted["terms_sha256"]:
        sentence = _(
            "The terms shown are not the terms that would be accepted, so nothing was done."
        )
        raise TermsError(sentence, offer=offer)
    return quoted


def _terms(quoted: dict[str, Any]) -> list[str]:
    """Return the terms line by line; whatever else is in them is shown as what it is."""
    text: str = quoted["terms_text"]
    return [line.expandtabs() for line in text.removesuffix("\n").replace("\r\n", "\n").split("\n")]


def _price_lines(quoted: dict[str, Any]) -> list[str]:
    currency = quoted["currency"]
    price, fee, total = (money(quoted[f"{part}_minor"], currency) for part in PRICE_PARTS)
    lines = [f"Price {price} + fee {fee} = {total}"]
    return [*lines, "TEST: no real money moves."] if quoted.get("test") else lines


@click.command()
@click.argument("dataset")
@click.option("--offer", required=True, help="The offer's id, from `commonhold search`.")
@reporting
def quote(dataset: str, offer: str) -> Outcome:
    """Show what an offer costs and the whole text of its terms."""
    with Client() as client:
        quoted = _quote(client, dataset, offer)
    lines = [*_terms(quoted), "", *_price_lines(quoted), f"Terms {quoted['terms_sha256']}"]
    return Outcome(quoted, lines)


def _pending_key(path: Path) -> str:
    """Return the idempotency key of an order whose answer never came, else a new one."""
    try:
        return str(json.loads(path.read_text())["key"])
    except FileNotFoundError:
        key = str(uuid.uuid4())
    write_private(path, json.dumps({"key": key}).encode())
    return key


@click.command()
@click.argument("dataset")
@click.option("--offer", required=True, help="The offer's id, from `commonhold search`.")
@click.option("--accept", is_flag=True, help="You have read the terms and accept them.")
@click.option("--another", is_flag=True, help="Buy it although you hold this license already.")
@click.option("--idempotency-key", help="Buy at most once under this key.")
@reporting
def buy(
    dataset: str, offer: str, *, accept: bool, another: bool, idempotency_key: str | None
) -> Outcome:
    """Buy a license. Without --accept, show the terms and buy nothing."""
    with Client() as client:
        quoted = _quote(client, dataset, offer)
        if not accept:
            lines = [*_terms(quoted), "", *_price_lines(quoted)]
            lines.append("Nothing was bought. If you accept these terms, add --accept.")
            data = {"code": "terms-not-accepted", "detail": lines[-1], "quote": quoted}
            return Outcome(data, lines, REFUSED)
        facts = f"{client.url} {client.credentials.api_key} {offer} {quoted['terms_sha256']}"
        pending = state_dir() / "orders" / f"{sha256_hex(facts.encode())}.json"
        order = client.request(
            "POST",
            "orders",
            shapes.ORDER,
            json={
                "offer": quoted["offer"]["id"],
                "accept_terms_sha256": quoted["terms_sha256"],
                "another": another,
            },
            headers={"Idempotency-Key": idempotency_key or _pending_key(pending)},
        )
        pending.unlink(missing_ok=True)
    lines = [f"Licensed. Order {order['id']}, grant {order.get('grant')}.", *_price_lines(quoted)]
    return Outcome(order, [*lines, f"Next: commonhold download {dataset} --to FOLDER"])
