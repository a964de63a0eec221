"""What the views of the native API have in common: scopes, finding what an address names, pages."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.models import User
from ingestion.models import Dataset, Version
from marketplace.api import sight
from marketplace.api.pace import Calls
from marketplace.api.pagination import Pages
from marketplace.api.permissions import VIEW, Scoped, require_dataset
from marketplace.http.requests import SAFE

OPEN: tuple[str, ...] = ()
"""The scopes of a method that anybody may use."""


class JsonBody(JSONParser):
    """JSON that is no deeper than a request of ours ever is."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Parse the body, or refuse what can't be walked through."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The body is nested too deep to be read.")) from error


class Resource(APIView):
    """A view that names, for each method, the scopes of which a key needs one."""

    permission_classes: Sequence[Any] = (Scoped,)
    parser_classes: Sequence[Any] = (JsonBody,)
    scopes: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    kinds: ClassVar[Mapping[str, str]] = {}
    """How calls are counted, by method, where it isn't as reading or writing; "" for not at all."""

    def get_throttles(self) -> list[BaseThrottle]:
        """Count the call as one of its kind (settings.RATES)."""
        kind = self.kinds.get(str(self.request.method))
        if kind is None and self.request.method not in SAFE:
            kind = "write"
        elif kind is None:
            kind = "read" if self.request.user.is_authenticated else "read-anonymous"
        return [Calls(kind)] if kind else []

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Let no cache keep what was answered to one caller, unless the view says otherwise."""
        done = super().finalize_response(request, response, *args, **kwargs)
        done.headers.setdefault("Cache-Control", "private, no-store")
        return done


class Collection(Resource):
    """A view whose GET answers a list in pages."""

    pagination_class: ClassVar[type[Pages]] = Pages

    def context(self, rows: Sequence[Any]) -> dict[str, object]:  # noqa: ARG002 - for subclasses
        """Read what a page of rows needs beside them, at once. Nothing, unless a view says so."""
        return {}

    def pages(
        self,
        request: Request,
        rows: QuerySet[Any] | Sequence[Any],
        serializer: type[BaseSerializer[Any]],
        **context: object,
    ) -> Response:
        """Answer the page of `rows` that the request asks for."""
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(rows, request, view=self)
        context = {"request": request, **self.context(page or []), **context}
        shown = serializer(page, many=True, context=context)
        return paginator.get_paginated_response(shown.data)


def caller(request: Request) -> User:
    """Return who calls; only for methods that have a scope, where somebody always does."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - Scoped let nobody else in
    return user


def django_request(request: Request) -> HttpRequest:
    """Return the request as Django has it, for what is not of DRF."""
    return request._request  # noqa: SLF001 - DRF's own name for Django's request


def find_dataset(request: Request, org: str, slug: str, permission: str = VIEW) -> Dataset:
    """Return the dataset at an address if the caller may do this with it; else 404 or 403."""
    datasets = Dataset.objects.select_related("organization")
    seen = sight.own(request, "organization") | sight.offered_dataset()
    dataset = get_object_or_404(datasets, seen, organization__slug=org, slug=slug)
    require_dataset(request, permission, dataset)
    return dataset


def find_version(
    request: Request, org: str, slug: str, number: int, permission: str = VIEW
) -> Version:
    """Return the version at an address if the caller may do this with it; else 404 or 403."""
    versions = Version.objects.select_related("dataset__organization")
    seen = sight.own(request, "dataset__organization") | sight.offered("pk")
    version = get_object_or_404(
        versions, seen, dataset__organization__slug=org, dataset__slug=slug, number=number
    )
    require_dataset(request, permission, version)
    return version
