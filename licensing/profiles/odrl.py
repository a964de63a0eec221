"""The machine-readable terms of a license: an ODRL 2.2 Offer in our profile, from its vector."""

from licensing.profiles.vector import GrantVector

PROFILE = "https://w3id.org/commonhold/odrl-profile/1"
CONTEXT = [
    "http://www.w3.org/ns/odrl.jsonld",
    {"ch": "https://w3id.org/commonhold/purposes/"},
]


def policy(*, iri: str, vector: GrantVector) -> dict[str, object]:
    """Return the ODRL Offer (W3C ODRL Information Model 2.2 §2.1): a rule per purpose."""
    return {
        "@context": CONTEXT,
        "@type": "Offer",
        "uid": iri,
        "profile": PROFILE,
        "permission": [permission(slug, vector) for slug in sorted(vector.purposes)],
        "prohibition": [{"action": f"ch:{slug}"} for slug in sorted(vector.denies)],
    }


def permission(slug: str, vector: GrantVector) -> dict[str, object]:
    """Return one permission, with the term as a constraint and the duties that come with it."""
    rule: dict[str, object] = {"action": f"ch:{slug}"}
    if vector.term_days is not None:
        rule["constraint"] = [
            {
                "leftOperand": "elapsedTime",
                "operator": "lteq",
                "rightOperand": f"P{vector.term_days}D",
            }
        ]
    duties = list_duties(vector)
    if duties:
        rule["duty"] = duties
    return rule


def list_duties(vector: GrantVector) -> list[dict[str, object]]:
    """Return what a licensee must do in return."""
    duties: list[dict[str, object]] = []
    if vector.attribution:
        duties.append({"action": "attribute"})
    if vector.delete_on_withdrawal_days is not None:
        event = f"ch:consentWithdrawn+P{vector.delete_on_withdrawal_days}D"
        duties.append(
            {
                "action": "delete",
                "constraint": [{"leftOperand": "event", "operator": "eq", "rightOperand": event}],
            }
        )
    return duties
