"""Every address of the site."""

from django.urls import include, path

from marketplace.pages import joining, mail

# Where allauth has counted enough: letters asked for, accounts made.
handler429 = "marketplace.http.pace.too_often"

urlpatterns = [
    path("accounts/", include("marketplace.pages.signing_in")),
    path(
        "accounts/confirm-email/<str:key>/",
        joining.ConfirmView.as_view(),
        name="account_confirm_email",
    ),
    path("accounts/", include("allauth.urls")),
    path("help/", include("marketplace.pages.help")),
    path("mail/", mail.show, name="mail"),
    path("studio/", include("marketplace.pages.studio.urls")),
    path("", include("marketplace.api.urls")),
    path("", include("marketplace.pages.urls")),
]
