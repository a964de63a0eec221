"""What was done to an organization, each act in a sentence: its members, invitations and keys."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.models import AuditEntry, Organization, Role

PER_PAGE = 50
SENTENCES = {
    "organization.created": gettext_lazy("%(actor)s founded the organization."),
    "invitation.sent": gettext_lazy("%(actor)s invited %(address)s (%(role)s)."),
    "invitation.withdrawn": gettext_lazy("%(actor)s withdrew the invitation of %(address)s."),
    "member.joined": gettext_lazy("%(actor)s joined (%(role)s)."),
    "member.role": gettext_lazy("%(actor)s gave %(member)s another role: %(role)s."),
    "member.left": gettext_lazy("%(actor)s left the organization."),
    "member.removed": gettext_lazy("%(actor)s removed %(member)s."),
    "key.made": gettext_lazy("%(actor)s made the key «%(key)s». It may: %(scopes)s."),
    "key.revoked": gettext_lazy("%(actor)s stopped the key «%(key)s»."),
}
"""That an invitation was accepted is told by whoever joined."""


def page_of(organization: Organization, number: str | None) -> Page[AuditEntry]:
    """Return a page of what was done, the newest first."""
    entries = audit.history(of=organization).filter(verb__in=SENTENCES)
    return Paginator(entries, PER_PAGE).get_page(number)


def context(organization: Organization, number: str | None) -> dict[str, Any]:
    """Return what the page shows of the organization's history."""
    found = page_of(organization, number)
    rows = [{"at": entry.at, "sentence": sentence(entry)} for entry in found]
    return {"history": found, "acts": rows}


def sentence(entry: AuditEntry) -> str:
    """Say what was done."""
    copies = entry.copies
    words: dict[str, str] = {
        "actor": _("The site") if entry.actor == audit.SITE.name else entry.actor,
        "role": str(Role(copies["role"]).label).lower() if "role" in copies else "",
        "scopes": ", ".join(copies.get("scopes", ())),
        **{name: str(copies.get(name, "")) for name in ("address", "member", "key")},
    }
    return SENTENCES[entry.verb] % words
