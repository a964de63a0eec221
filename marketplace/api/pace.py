"""How often the API may be called: by kind of call, for a person or a stranger's address."""

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from marketplace.http import pace


class Calls(BaseThrottle):
    """Counts a call of one kind. The refusal is ours: it says how long to wait."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def allow_request(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - DRF's signature
        """Count it, or raise TooManyCalls."""
        pace.require(self.kind, pace.name_of(request))
        return True
