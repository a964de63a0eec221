"""Every word of the pages can be told in another language, and so can every refusal on them."""

import re
from datetime import date
from uuid import uuid4

import pytest
from babel import Locale
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import escape

from accounts import organizations
from accounts.models import Role
from ingestion import releases
from licensing import grants
from licensing import papers as grant_papers
from licensing.models import Grant
from marketplace import pricing
from notary import instance
from tests import factories, letters, pseudo, sealed, trade
from tests.foreign import ABOUT, TITLE, faults, signed_in, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_language")]


def published(**options) -> Grant:
    """A license of a dataset that is offered twice, once for nothing."""
    version = sealed.version(sealed.dataset(title=TITLE, description=ABOUT))
    trade.offer(version, profile="CC-BY-4.0", amount_minor=0, term_days=None)
    offer = trade.offer(
        version, profile="commercial-training-benefit-share", benefit_share_bps=1250, **options
    )
    return trade.grant(offer)


def at(grant: Grant) -> str:
    """Where the dataset of a license stands."""
    dataset = grant.version.dataset
    return f"/d/{dataset.organization.slug}/{dataset.slug}"


def test_the_reader_of_pages_finds_what_is_forgotten():
    page = '<p title="⟦a⟧ b">⟦One <b>of ⟨Radio 7, two⟩</b>⟧ Radio 7: <code>x</code> 1.5 MB. no</p>'
    assert pseudo.leaks(page, ["Radio 7"]) == ["b", "Radio 7, two", "1.5 MB. no"]


def test_a_visitor_reads_every_page_in_their_language():
    grant = published()
    index = grant.version.seal.statement.entry.index
    paths = [
        "/",
        "/?allows=research&allows=evaluation",
        "/?q=nothing",
        "/?allows=research&q=nothing",
        at(grant),
        f"{at(grant)}?version=1",
        "/log",
        f"/log/entry/{index}",
        "/verify",
        "/help/",
        "/help/how-it-works",
        "/help/consent",
        "/help/verify",
        "/help/command-line",
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/1-nothing/",
        "/accounts/password/reset/key/done/",
        "/accounts/confirm-email/",
        "/accounts/confirm-email/nothing/",
        "/accounts/inactive/",
        "/nothing",
    ]
    reader = visitor()
    known = {instance.log_origin(), "nothing"}
    assert faults((reader.get(path) for path in paths), known) == {}


def test_an_empty_site_is_told_in_the_readers_language():
    reader = visitor()
    assert faults([reader.get("/"), reader.get("/log")]) == {}


def test_a_dataset_whose_speaker_withdrew_is_told_in_the_readers_language():
    grant = published()
    trade.withdraw(grant.version)
    trade.follow()
    owner = signed_in(factories.owner_of(grant.licensee))
    answers = [
        visitor().get(at(grant)),
        owner.get(f"/library/{grant.pk}"),
        owner.get(f"/library/{grant.pk}/certificate"),
        owner.get("/library/"),
        owner.get(f"/checkout/{grant.offer.pk}"),
    ]
    assert faults(answers) == {}


def test_a_licensee_reads_their_library_in_their_language():
    grant = published()
    owner = signed_in(factories.owner_of(grant.licensee))
    editor = signed_in(factories.member(grant.licensee, Role.EDITOR))
    paths = [
        "/library/",
        f"/library/{grant.pk}",
        f"/library/{grant.pk}/certificate",
        "/library/receipts/",
        f"/library/receipts/{grant.order.pk}",
    ]
    answers = [owner.get(path) for path in paths]
    answers += [editor.get(f"/library/{grant.pk}"), signed_in(factories.user()).get("/library/")]
    assert faults(answers) == {}


@pytest.mark.parametrize("state", ["revoked", "withdrawn"])
def test_a_license_that_is_over_is_told_in_the_readers_language(state: str):
    grant = published()
    by = factories.owner_of(grant.version.dataset.organization)
    if state == "revoked":
        grants.revoke(grant=grant, by=by, reason="Ne plu.")
    else:
        releases.withdraw(version=grant.version, by=by, reason="Ne plu.")
    trade.follow()
    owner = signed_in(factories.owner_of(grant.licensee))
    pages = [owner.get(f"/library/{grant.pk}"), owner.get("/library/"), visitor().get(at(grant))]
    assert faults(page for page in pages if page.status_code == 200) == {}


def test_buying_is_told_in_the_readers_language():
    grant = published()
    offer, lab = grant.offer, factories.organization("Laboratorio")
    buyer = signed_in(factories.owner_of(lab))
    quote = pricing.quote(offer=offer)
    click = {
        "idempotency_key": str(uuid4()),
        "total": f"{quote.total_minor} {quote.currency}",
        "licensee": lab.slug,
        "accept": offer.terms_sha256,
    }
    address = f"/checkout/{offer.pk}"
    answers = [
        buyer.get(address),
        buyer.post(address, click | {"accept": ""}),
        buyer.post(address, click | {"total": "1 EUR"}),
        buyer.post(address, click | {"licensee": "another"}),
        buyer.post(address, click, follow=True),
        buyer.get(address),
        signed_in(factories.member(lab, Role.EDITOR)).get(address),
        signed_in(factories.owner_of(grant.version.dataset.organization)).get(address),
        signed_in(factories.user()).get(address),
    ]
    pricing.close_offer(offer=offer, by=factories.owner_of(grant.version.dataset.organization))
    answers += [buyer.get(address), buyer.post(address, click | {"idempotency_key": "k"})]
    assert faults(answers) == {}


def test_an_owner_reads_their_dataset_in_their_language():
    grant = published()
    owner = factories.owner_of(grant.version.dataset.organization)
    draft = sealed.dataset(grant.version.dataset.organization, title=TITLE, description=ABOUT)
    reader = signed_in(owner)
    answers = [
        reader.get(at(grant)),
        reader.get(f"/d/{draft.organization.slug}/{draft.slug}"),
    ]
    assert faults(answers) == {}


def test_accounts_are_kept_in_the_readers_language():
    ours = factories.organization("Radio Unu")
    owner = factories.owner_of(ours)
    organizations.create(name="Radio Du", owner=owner)
    member = factories.member(ours)
    reader = signed_in(owner)
    key = {"key-name": "skatolo", "key-scopes": ["read"], "key-days": "90"}
    prefix = reader.post("/account/keys/", key).context["new_key"].prefix
    number = ours.memberships.get(user=member).pk
    mine = ours.memberships.get(user=owner).pk
    answers = [
        reader.get("/account/"),
        reader.post("/account/keys/", key | {"key-days": "0"}),
        reader.post("/account/keys/", key | {"key-days": "365"}),
        reader.post("/account/keys/", key | {"key-scopes": []}),
        reader.post(f"/account/keys/{prefix}/revoke/", follow=True),
        reader.post(f"/account/members/{number}/role/", {"role": "king"}),
        reader.post(f"/account/members/{number}/role/", {"role": "buyer"}, follow=True),
        reader.post(f"/account/members/{mine}/role/", {"role": "buyer"}),
        reader.post(f"/account/members/{number}/remove/", follow=True),
        reader.post("/account/organizations/", {"organization-name": "Radio Unu"}),
        reader.post("/account/organizations/", {"organization-name": "Radio Tri"}, follow=True),
        reader.post("/account/acting/", {"organization": "nothing"}, follow=True),
        reader.post("/account/acting/", {"organization": ours.slug}, follow=True),
        signed_in(member).get("/account/"),
        signed_in(factories.user()).get("/account/"),
    ]
    assert faults(answers, {"skatolo", "a@b.org", prefix}) == {}


def test_invitations_are_told_in_the_readers_language():
    ours = factories.organization("Radio Unu")
    member = factories.member(ours)
    reader = signed_in(factories.owner_of(ours))
    form = {"member-email": "a@b.org", "member-role": "buyer"}
    answers = [
        reader.post("/account/invitations/", form, follow=True),
        reader.post("/account/invitations/", form),
        reader.post("/account/invitations/", form | {"member-email": "a"}),
        reader.post("/account/invitations/", form | {"member-email": member.email}),
    ]
    path, link = f"/account/invitations/{ours.invitations.get().pk}", letters.link("a@b.org")
    answers += [
        reader.get(link),
        visitor().get(link),
        visitor().post(link, {"name": "Nova"}),
        reader.post(f"{path}/again/", follow=True),
        visitor().get(link),
        reader.post(f"{path}/withdraw/", follow=True),
        reader.post(f"{path}/withdraw/"),
        visitor().get(letters.link("a@b.org")),
    ]
    factories.user("a@b.org")
    reader.post("/account/invitations/", form)
    answers += [visitor().get(letters.link("a@b.org"))]
    assert faults(answers, {"a@b.org", "Nova"}) == {}


def test_joining_is_told_in_the_readers_language():
    factories.organization("Radio Unu")
    visitor().post("/accounts/signup/", {"email": "a@b.org"})
    link = letters.link("a@b.org")
    who = {"name": "Nova", "password1": factories.PASSWORD, "organization": "Radio Unu"}
    unproved = signed_in(factories.squatter("s@b.org"))
    answers = [
        visitor().get(link),
        visitor().post(link, {}),
        visitor().post(link, who),
        signed_in(factories.user()).get(link),
        visitor().get(f"{link}x"),
        unproved.get("/account/"),
        unproved.get("/"),
        visitor().post(link, who | {"organization": "Radio Du"}, follow=True),
        visitor().get(link, follow=True),
    ]
    assert faults(answers, {"a@b.org", "Nova"}) == {}


def test_letters_are_written_in_the_readers_language():
    owner = factories.user("j@b.org", name="Unu")
    ours = factories.organization("Radio Unu", owner=owner)
    for address in ("a@b.org", "j@b.org"):
        visitor().post("/accounts/signup/", {"email": address})
    invited = {"member-email": "b@b.org", "member-role": "buyer"}
    signed_in(owner).post("/account/invitations/", invited)
    for letter in mail.outbox:
        text = re.sub(r"http://\S+", "", f"{letter.subject}\n{letter.body}")
        known = {"[testserver]", "Unu", str(ours)}
        assert pseudo.leaks(escape(text), known) == []
    assert len(mail.outbox) == 3


def test_addresses_and_passwords_are_kept_in_the_readers_language():
    reader = signed_in(factories.owner_of(factories.organization("Radio Unu")))
    answers = [
        reader.get("/accounts/email/"),
        reader.post("/accounts/email/", {"action_add": "", "email": "nova@example.org"}),
        reader.get("/accounts/email/"),
        reader.get("/accounts/password/change/"),
        reader.get("/accounts/logout/"),
        reader.get("/accounts/reauthenticate/"),
        visitor().post("/accounts/login/", {"login": "a@b.org", "password": "no"}),
    ]
    pages = [answer for answer in answers if answer.status_code == 200]
    assert faults(pages, {"nova@example.org"}) == {}


def test_what_a_verifier_finds_is_told_in_the_readers_language():
    grant = published()
    papers = {paper.name: paper.content for paper in grant_papers.of(grant=grant)}
    names = ("manifest.sigstore.json", "files.jsonl")
    answers = [
        visitor().post("/verify"),
        visitor().post("/verify", {"files": SimpleUploadedFile("a.txt", b"nothing")}),
        *(
            visitor().post("/verify", {"files": [SimpleUploadedFile(name, content)]})
            for name, content in papers.items()
            if name in names
        ),
    ]
    # The manifest names its license in English.
    signed = {instance.log_origin(), grant.offer.name}
    assert faults(answers, {*papers, *signed, "a.txt"}) == {}


def test_errors_are_told_in_the_readers_language():
    grant = published()
    stranger = signed_in(factories.owner_of(factories.organization("Radio Unu")))
    with translation.override(pseudo.LANGUAGE):
        page = render_to_string("500.html")
        forbidden = render_to_string("403.html")
    assert pseudo.leaks(page) == pseudo.leaks(forbidden) == []
    assert faults([stranger.get(f"/library/{grant.pk}")]) == {}


def test_days_and_numbers_are_written_as_the_reader_writes_them():
    grant = published()
    page = visitor().get(at(grant)).content.decode()
    month = Locale(pseudo.LANGUAGE).months["format"]["wide"][date.today().month]  # noqa: DTZ011
    assert month in page
