"""The HTTP client of one site: requests, patience, and problem documents as errors."""

import json
import os
import re
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from commonhold import __version__, shapes
from commonhold.addresses import AddressError, site_address
from commonhold.errors import CommonholdError
from commonhold.pins import config_dir, write_private
from commonhold.sentences import _, filled, one_after_another

RETRIED = frozenset({429, 500, 502, 503, 504})
ATTEMPTS = 6
LONGEST_PAUSE_S = 30.0
TIMEOUT = httpx.Timeout(60.0, connect=15.0)
MAX_JSON, MAX_FILE = 64 * 1024 * 1024, 1024 * 1024
PACKED = frozenset({"", "identity", "gzip"})
# A host may be none that can be looked up: Python's codec for names says UnicodeError.
UNREACHABLE = (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL, UnicodeError)
RETRIED_ERRORS = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)
KEY = re.compile(r"[!-~]+")
RESERVED_MEMBERS = frozenset({"type", "title", "status", "detail", "code"})


class NotConfiguredError(CommonholdError):
    """The command does not know which site to talk to, or as whom."""

    code = "not-configured"


class NetworkError(CommonholdError):
    """The site could not be reached, or the connection broke for good."""

    code = "network"
    status = 502


class ServerError(CommonholdError):
    """The site answered with an error of its own, or with something that is not its API."""

    code = "server-error"
    status = 502


class RefusedError(CommonholdError):
    """The site understood and refused. `problem` is its problem document (RFC 9457)."""

    code = "refused"

    def __init__(self, problem: Mapping[str, Any]) -> None:
        details = {key: value for key, value in problem.items() if key not in RESERVED_MEMBERS}
        super().__init__(str(problem.get("detail") or problem.get("title")), **details)
        self.problem = dict(problem)

    def as_problem(self, *, detail: str = "") -> dict[str, object]:  # noqa: ARG002 - the site told it
        """Return the problem document as the site sent it."""
        return self.problem


class NotAllowedError(RefusedError):
    """401 or 403: the key is missing, wrong, or lacks the scope."""

    code = "not-allowed"
    status = 403


class NotFoundError(RefusedError):
    """404 or 410: there is no such thing, or it is not for this key to see."""

    code = "not-found"
    status = 404


class ConflictError(RefusedError):
    """409: the thing is not in a state that allows this."""

    code = "conflict"
    status = 409


class InvalidRequestError(RefusedError):
    """422 or 400: what was sent breaks a rule; the message says which."""

    code = "invalid"
    status = 422


REFUSALS: dict[int, type[RefusedError]] = {
    400: InvalidRequestError,
    401: NotAllowedError,
    403: NotAllowedError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    422: InvalidRequestError,
}


def error_from(response: httpx.Response) -> CommonholdError:
    """Return the error that a response other than 2xx stands for."""
    try:
        problem = response.json()
    except (ValueError, RecursionError):
        problem = None
    if not isinstance(problem, dict) or not ("detail" in problem or "title" in problem):
        problem = {
            "detail": filled(
                _("%(site)s answered %(answer)s without saying why."),
                site=response.url.raw_host.decode(),
                answer=response.status_code,
            )
        }
    if response.status_code in RETRIED or response.status_code < httpx.codes.BAD_REQUEST:
        return ServerError(str(problem.get("detail")), http_status=response.status_code)
    return REFUSALS.get(response.status_code, RefusedError)(problem)


@dataclass(frozen=True)
class Credentials:
    """Which site, and the API key for it."""

    url: str
    api_key: str | None

    @staticmethod
    def path() -> Path:
        """Return where `commonhold login` keeps them."""
        return config_dir() / "credentials.json"

    def save(self) -> None:
        """Keep them for later commands, for their owner alone."""
        write_private(self.path(), json.dumps({"url": self.url, "api_key": self.api_key}).encode())

    @classmethod
    def find(cls, url: str | None = None, api_key: str | None = None) -> "Credentials":
        """Take the arguments, else COMMONHOLD_URL and COMMONHOLD_API_KEY, else what login kept.

        A kept key is only used for the site it was kept for. Raises NotConfiguredError.
        """
        kept = cls._kept()
        typed = url or os.environ.get("COMMONHOLD_URL") or kept.url
        try:
            url = site_address(typed)
        except AddressError as error:
            sentence = _("Which site? Set COMMONHOLD_URL to its address, or run: commonhold login")
            said = one_after_another(error.said, sentence) if typed else sentence
            raise NotConfiguredError(said) from error
        api_key = api_key or os.environ.get("COMMONHOLD_API_KEY")
        api_key = api_key or (kept.api_key if kept.url == url else None)
        if api_key and not KEY.fullmatch(api_key):
            sentence = _(
                "The API key holds a space, a line break or another sign that no key has. Copy it "
                "once more, in one line."
            )
            raise NotConfiguredError(sentence)
        return cls(url, api_key)

    @classmethod
    def _kept(cls) -> "Credentials":
        if not cls.path().exists():
            return cls("", None)
        try:
            kept = json.loads(cls.path().read_text())
            return cls(str(kept["url"]), kept["api_key"] and str(kept["api_key"]))
        except (ValueError, KeyError, TypeError) as error:
            sentence = _("%(path)s can't be read any more. Run: commonhold login")
            raise NotConfiguredError(sentence, path=str(cls.path())) from error


@cache
def _certificates() -> ssl.SSLContext:
    """Return whose certificates count for https: read once, since it takes longer than a call."""
    return httpx.create_ssl_context()


class Client:
    """One site's API. Usable from several threads; close it, or use it in a `with` block.

    `backoff_s` is the first pause before a failed request is tried again; it doubles each time.
    """

    def __init__(
        self, url: str | None = None, api_key: str | None = None, *, backoff_s: float = 0.5
    ) -> None:
        self.credentials = Credentials.find(url, api_key)
        self.url = self.credentials.url
        self.backoff_s = backoff_s
        agent = {"User-Agent": f"commonhold/{__version__}", "Accept-Encoding": "gzip"}
        key = self.credentials.api_key
        try:
            self._api = httpx.Client(
                base_url=f"{self.url}/api/v1/",
                headers=agent | ({"Authorization": f"Bearer {key}"} if key else {}),
                timeout=TIMEOUT,
                verify=_certificates(),
            )
        except httpx.InvalidURL as error:
            sentence = _("%(url)s is not an address that can be asked: %(why)s.")
            raise NotConfiguredError(sentence, url=self.url, why=str(error)) from error
        # Signed URLs may lead to a storage provider, which must not see the API key.
        self.plain = httpx.Client(headers=agent, timeout=TIMEOUT, verify=_certificates())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._api.close()
        self.plain.close()

    def pause(self, attempt: int, response: httpx.Response | None = None) -> None:
        """Wait before trying again: longer each time, or as long as Retry-After says."""
        seconds = self.backoff_s * 2**attempt * (1 + secrets.randbelow(250) / 1000)
        asked = response.headers.get("Retry-After", "") if response is not None else ""
        if asked.isdigit():
            seconds = max(seconds, float(asked))
        time.sleep(min(seconds, LONGEST_PAUSE_S))

    def patiently(self, call: Callable[[], httpx.Response]) -> httpx.Response:
        """Return `call`'s response, tried again while the network or the server fails."""
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                response = call()
            except UNREACHABLE as error:
                if last or not isinstance(error, RETRIED_ERRORS):
                    sentence = _("%(url)s can't be reached: %(why)s. Check the connection.")
                    raise NetworkError(sentence, url=self.url, why=str(error)) from error
                self.pause(attempt)
                continue
            if response.status_code not in RETRIED or last:
                break
            self.pause(attempt, response)
        if not response.is_success:
            raise error_from(response)
        return response

    def _answer(
        self, client: httpx.Client, method: str, url: str, most: int, **options: Any
    ) -> httpx.Response:
        """Return a response that was read whole, but no further than `most` bytes unpacked."""

        def call() -> httpx.Response:
            with client.stream(method, url, **options) as response:
                body = _body(response, most)
            kept = {"Retry-After": response.headers.get("Retry-After", "")}
            status, request = response.status_code, response.request
            return httpx.Response(status, headers=kept, content=body, request=request)

        return self.patiently(call)

    def request(
        self, method: str, path: str, shape: shapes.Shape | None = None, **options: Any
    ) -> Any:
        """Return the JSON answer of the API at `path` (below /api/v1/), None if it is empty.

        It must be as `shape` says. `options` are httpx's. Raises RefusedError, ServerError,
        AnswerError, NetworkError.
        """
        response = self._answer(self._api, method, path, MAX_JSON, **options)
        answer = _json(response) if response.content else None
        return answer if shape is None else shapes.require(answer, shape, str(response.url))

    def site_file(self, path: str, most: int = MAX_FILE) -> bytes:
        """Return the bytes of a public file of the site, such as /log/checkpoint."""
        return self._answer(self.plain, "GET", self.url + path, most).content

    def site_json(self, path: str, shape: shapes.Shape) -> Any:
        """Return a public JSON document of the site, such as /status/, that is as `shape` says."""
        url = self.url + path
        return shapes.require(_json(self._answer(self.plain, "GET", url, MAX_JSON)), shape, url)

    def pages(
        self, path: str, params: Mapping[str, Any] | None = None, shape: shapes.Shape = dict
    ) -> Iterator[dict[str, Any]]:
        """Yield the results of a list, page after page, each as `shape` says."""
        page_shape = shapes.PAGE | {"results": [shape]}
        number = 1
        while True:
            asked = {**(params or {}), "page": number}
            page = self.request("GET", path, page_shape, params=asked)
            yield from page["results"]
            if not (page.get("next") and page["results"]):
                return
            number += 1

    def me(self) -> dict[str, Any]:
        """Return whose key this is: user, organization, role, scopes."""
        answer: dict[str, Any] = self.request("GET", "me", shapes.ME)
        return answer

    def full_name(self, dataset: str) -> str:
        """Return `org/slug`; a bare slug is one of the key's own organization."""
        if "/" in dataset:
            return dataset
        return f"{self.me()['organization']['slug']}/{dataset}"

    def dataset(self, name: str) -> dict[str, Any]:
        """Return the dataset `org/slug`."""
        answer: dict[str, Any] = self.request("GET", dataset_path(name), shapes.DATASET)
        return answer


def _body(response: httpx.Response, most: int) -> bytes:
    packed = response.headers.get("Content-Encoding", "").strip().lower()
    body = bytearray()
    if packed not in PACKED:
        sentence = _("%(url)s answered packed in a way that was not asked for.")
        raise shapes.AnswerError(sentence, url=str(response.url))
    for piece in response.iter_bytes():
        body += piece
        if len(body) > most:
            sentence = _("%(url)s answered with more than %(most)s bytes, which nothing needs.")
            raise shapes.AnswerError(sentence, url=str(response.url), most=most)
    return bytes(body)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        sentence = _("%(url)s did not answer with JSON. Is this a Commonhold site?")
        raise ServerError(sentence, url=str(response.url)) from error


def dataset_path(name: str, *more: object) -> str:
    """Return the API path of the dataset `org/slug`, and of what lies below it."""
    organization, separator, slug = name.partition("/")
    if not (organization and separator and slug) or "/" in slug:
        sentence = _("“%(name)s” is not a dataset's name. Write it as ORGANIZATION/DATASET.")
        raise NotConfiguredError(sentence, name=name)
    return "/".join(["datasets", quote(organization), quote(slug), *map(str, more)])
