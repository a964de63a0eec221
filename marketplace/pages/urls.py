"""The addresses of the catalogue, buying, the library and the public record."""

from django.urls import path

from marketplace.http import acting
from marketplace.pages import (
    account,
    catalog,
    checkout,
    datasets,
    invitations,
    joining,
    library,
    log,
    members,
    security,
    verify,
)

DATASET = "d/<slug:organization>/<slug:slug>"
VERSION = f"{DATASET}/<int:number>"
GRANT = "library/<uuid:grant_id>"

urlpatterns = [
    path("", catalog.show, name="catalog"),
    path(DATASET, datasets.show, name="dataset"),
    path(f"{DATASET}/croissant.json", datasets.croissant, name="dataset_croissant"),
    path(f"{VERSION}/listen/<int:clip>.flac", datasets.listen, name="dataset_clip"),
    path(f"{VERSION}/<str:name>", datasets.manifest, name="dataset_manifest"),
    path("checkout/<int:number>", checkout.show, name="checkout"),
    path("library/", library.index, name="library"),
    path("library/receipts/", library.receipts, name="receipts"),
    path("library/receipts/<uuid:order_id>", library.receipt, name="receipt"),
    path(GRANT, library.show, name="grant"),
    path(f"{GRANT}/certificate", library.certificate, name="certificate"),
    path(f"{GRANT}/papers.zip", library.papers, name="papers"),
    path(f"{GRANT}/files/<path:path>", library.download, name="grant_download"),
    path("verify", verify.show, name="verify"),
    path("log", log.show, name="log"),
    path("log/entry/<int:number>", log.entry, name="log_entry"),
    path(".well-known/security.txt", security.show, name="security_txt"),
    path("join/<str:token>", joining.join, name="join"),
    path("invitations/<str:secret>", invitations.show, name="invitation"),
    path("account/", account.show, name="account"),
    path("account/acting/", acting.switch, name="switch_organization"),
    path("account/organizations/", account.create_organization, name="create_organization"),
    path("account/invitations/", members.invite, name="invite"),
    path(
        "account/invitations/<int:number>/again/", members.renew_invitation, name="renew_invitation"
    ),
    path(
        "account/invitations/<int:number>/withdraw/",
        members.withdraw_invitation,
        name="withdraw_invitation",
    ),
    path("account/members/<int:number>/role/", members.change_role, name="change_role"),
    path("account/members/<int:number>/remove/", members.remove_member, name="remove_member"),
    path("account/keys/", account.create_key, name="create_key"),
    path("account/keys/<str:prefix>/revoke/", account.revoke_key, name="revoke_key"),
]
