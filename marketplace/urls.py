"""Every address of the site."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("studio/", include("marketplace.pages.studio.urls")),
    path("", include("marketplace.api.urls")),
    path("", include("marketplace.pages.urls")),
]
