"""History: who did what to a dataset, from the record that every act writes."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import AuditEntry
from marketplace.api.resource import Collection, find_dataset
from marketplace.showcase import history


class AuditJson(serializers.Serializer[Any]):
    """One act. It holds copies, so that it can be read when what it touched is gone."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.SerializerMethodField()
    verb = serializers.CharField(help_text="As thing.done, such as recording.removed.")
    about = serializers.ListField(
        child=serializers.CharField(),
        help_text="What it touched, as kind:id, the smallest thing first.",
    )
    copies = serializers.DictField(help_text="What it was; speakers by their pseudonyms.")
    request_id = serializers.CharField(help_text="X-Request-ID of the request that did it.")

    def get_actor(self, entry: AuditEntry) -> str:
        """Return an address, with the key that was used; or “the site”, or a licensee."""
        return history.actor_of(entry)


class History(Collection):
    """What was done to a dataset."""

    @extend_schema(operation_id="dataset_history_list", responses=AuditJson(many=True))
    def get(self, request: Request, org: str, slug: str) -> Response:
        """Return what was done to a dataset, the newest first; for its contributors alone."""
        dataset = find_dataset(request, org, slug, "ingestion.view_originals")
        return self.pages(request, history.of_dataset(dataset=dataset), AuditJson)
