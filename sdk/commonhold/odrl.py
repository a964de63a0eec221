"""Terms for machines: what a grant allows, denies and asks for, as an ODRL 2.2 Offer.

Whoever issues a license compiles it here, and whoever verifies one compiles it again from what
was granted: the two must be equal. A form that changes gets a new profile, beside this one.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast

from commonhold.sentences import Sentence, _, filled

PROFILE = "https://w3id.org/commonhold/odrl-profile/1"
CONTEXT = [
    "http://www.w3.org/ns/odrl.jsonld",
    {"ch": "https://w3id.org/commonhold/purposes/"},
]
PREFIX = "ch:"
WITHDRAWN = "ch:consentWithdrawn+P"
DAYS = re.compile(r"0|[1-9][0-9]{0,5}")

Json = dict[str, object]


@dataclass(frozen=True)
class Duties:
    """What a licensee does in return.

    `delete_on_withdrawal_days`: within how many days a speaker's part is deleted, once told.
    """

    attribution: bool = False
    delete_on_withdrawal_days: int | None = None

    @classmethod
    def of(cls, block: Mapping[str, object]) -> "Duties":
        """Read what `as_dict` wrote, and the schema has checked."""
        days = cast("int | None", block["deleteOnWithdrawalDays"])
        return cls(bool(block["attribution"]), days)

    def as_dict(self) -> Json:
        """Return the form that a grant's scope has."""
        return {
            "attribution": self.attribution,
            "deleteOnWithdrawalDays": self.delete_on_withdrawal_days,
        }


def policy(
    *,
    iri: str,
    purposes: Collection[str],
    denies: Collection[str],
    duties: Duties,
    term_days: int | None,
) -> Json:
    """Return the ODRL Offer (W3C ODRL Information Model 2.2 §2.1): a rule per purpose."""
    return {
        "@context": CONTEXT,
        "@type": "Offer",
        "uid": iri,
        "profile": PROFILE,
        "permission": [_permission(slug, duties, term_days) for slug in sorted(purposes)],
        "prohibition": [{"action": PREFIX + slug} for slug in sorted(denies)],
    }


def _permission(slug: str, duties: Duties, term_days: int | None) -> Json:
    rule: Json = {"action": PREFIX + slug}
    if term_days is not None:
        rule["constraint"] = [
            {"leftOperand": "elapsedTime", "operator": "lteq", "rightOperand": f"P{term_days}D"}
        ]
    asked = _duties(duties)
    return {**rule, "duty": asked} if asked else rule


def _duties(duties: Duties) -> list[Json]:
    asked: list[Json] = []
    if duties.attribution:
        asked.append({"action": "attribute"})
    if duties.delete_on_withdrawal_days is not None:
        event = f"{WITHDRAWN}{duties.delete_on_withdrawal_days}D"
        constraint = {"leftOperand": "event", "operator": "eq", "rightOperand": event}
        asked.append({"action": "delete", "constraint": [constraint]})
    return asked


def duties_in(document: Mapping[str, object]) -> Duties:
    """Return the duties that an Offer states, for grants that don't state them themselves."""
    rules = document.get("permission")
    first = rules[0] if isinstance(rules, list) and rules else None
    asked = first.get("duty") if isinstance(first, dict) else None
    attribution, days = False, None
    for duty in asked if isinstance(asked, list) else []:
        match duty:
            case {"action": "attribute"}:
                attribution = True
            case {"action": "delete", "constraint": [{"rightOperand": str(event)}]}:
                number = event.removeprefix(WITHDRAWN).removesuffix("D")
                days = int(number) if DAYS.fullmatch(number) else None
    return Duties(attribution, days)


def difference(document: Mapping[str, object], compiled: Mapping[str, object]) -> Sentence | None:
    """Return what an Offer says otherwise than the one compiled from the grant; None if nothing."""
    if document == compiled:
        return None
    permitted, meant = _actions(document.get("permission")), _actions(compiled["permission"])
    prohibited, denied = _actions(document.get("prohibition")), _actions(compiled["prohibition"])
    for extra, fault in (
        (permitted - meant, _("its ODRL permits %(action)s, which it does not grant")),
        (meant - permitted, _("its ODRL does not permit %(action)s, which it grants")),
        (denied - prohibited, _("its ODRL does not prohibit %(action)s, which it denies")),
        (prohibited - denied, _("its ODRL prohibits %(action)s, which it does not deny")),
    ):
        if extra:
            return filled(fault, action=min(extra).removeprefix(PREFIX))
    if document.get("permission") == compiled["permission"]:
        return _("its ODRL is not what its scope compiles to")
    return _("its ODRL has other terms or duties than it grants under")


def _actions(rules: object) -> set[str]:
    found = rules if isinstance(rules, list) else []
    return {
        rule["action"]
        for rule in found
        if isinstance(rule, dict) and isinstance(rule.get("action"), str)
    }
