"""The addresses of the catalogue, buying, the library and the public record."""

from django.urls import path

from marketplace.pages import account, acting

urlpatterns = [
    path("account/", account.show, name="account"),
    path("account/acting/", acting.switch, name="switch_organization"),
    path("account/organizations/", account.create_organization, name="create_organization"),
    path("account/members/", account.add_member, name="add_member"),
    path("account/members/<int:number>/role/", account.change_role, name="change_role"),
    path("account/members/<int:number>/remove/", account.remove_member, name="remove_member"),
    path("account/keys/", account.create_key, name="create_key"),
    path("account/keys/<str:prefix>/revoke/", account.revoke_key, name="revoke_key"),
]
