"""Every address of the site."""

from django.urls import include, path

from marketplace.pages import mail

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("help/", include("marketplace.pages.help")),
    path("mail/", mail.show, name="mail"),
    path("studio/", include("marketplace.pages.studio.urls")),
    path("", include("marketplace.api.urls")),
    path("", include("marketplace.pages.urls")),
]
