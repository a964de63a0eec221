"""A site in miniature over the standard library: it keeps the API's contract, and can fail."""

import base64
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from commonhold import merkle, notes, tiles

from tests.sdk import answers, bundles

KEY = "ch_test_key"
PART = 64 * 1024
TERMS = answers.TERMS


Json = dict[str, Any]


class FakeSite:
    """What the site knows, and the faults that a test wishes for."""

    def __init__(self) -> None:
        self.url = ""
        self.keys = bundles.Site()
        self.part_size = PART
        # Each dataset's versions: the number and the state of the newest.
        self.datasets: dict[str, tuple[int, str]] = {}
        self.uploads: dict[str, Json] = {}
        self.stored: dict[str, bytes] = {}
        self.consents: list[bytes] = []
        self.orders: dict[str, Json] = {}
        self.release = Path()
        self.run_error = ""
        self.files: dict[str, bytes] = {}
        self.status_lists: list[Json] = []
        self.generation = 0
        self.expire_after: int | None = None
        self.requests: Counter[str] = Counter()
        self.authorized: set[str] = set()
        # Faults: how often a path answers 503, after how many bytes its body is cut (each once),
        # how often its bytes are wrong.
        self.failing: Counter[str] = Counter()
        self.cuts: dict[str, list[int]] = {}
        self.corrupt: Counter[str] = Counter()
        # What becomes of an answer in JSON, by the path that was asked.
        self.tamper: Callable[[str, object], object] = lambda _path, body: body
        self.refuse_parts_after: int | None = None
        self.lock = threading.Lock()

    def log_nodes(self):
        return merkle.memory_nodes([merkle.leaf_hash(leaf) for leaf in self.keys.leaves])

    def add(self, name: str, state: str = "review") -> None:
        """A dataset whose first version is in a state."""
        self.datasets[name] = (1, state)

    def dataset(self, name: str) -> Json:
        newest, state = self.datasets[name]
        return answers.dataset(name, newest=newest, state=state)

    def version(self, name: str) -> Json:
        number, state = self.datasets[name]
        files = [answers.file(path, data) for path, data in sorted(self.stored.items())]
        return answers.version(number, state, files, run_error=self.run_error)

    def upload(self, upload_id: str) -> Json:
        upload = self.uploads[upload_id]
        offsets = range(0, upload["size"], self.part_size)
        parts = [
            {
                "number": number,
                "offset": offset,
                "size": min(self.part_size, upload["size"] - offset),
                "url": f"{self.url}/signed/{self.generation}/{upload_id}/{number}",
                "received": number in upload["received"],
            }
            for number, offset in enumerate(offsets, start=1)
        ]
        public = {key: upload[key] for key in ("id", "state", "path", "size", "error")}
        is_open = upload["state"] == "open"
        return public | {"part_size": self.part_size, "parts": parts if is_open else []}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: FakeSite

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: object = None, **headers: str) -> None:
        if not isinstance(body, bytes):
            body = self.site.tamper(urlsplit(self.path).path, body)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def problem(self, status: int, code: str, detail: str, **more: object) -> None:
        self.answer(status, answers.problem(status, code, detail) | more)

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def handle_request(self) -> None:
        path = unquote(urlsplit(self.path).path)
        data = self.body()
        with self.site.lock:
            self.site.requests[f"{self.command} {path}"] += 1
            failing = self.site.failing[path] > 0
            self.site.failing[path] -= failing
            if "Authorization" in self.headers:
                self.site.authorized.add(path.split("/")[1])
        if failing:
            self.problem(503, "busy", "Try again.")
        elif path.startswith("/signed/"):
            self.signed(path.split("/", 3)[2], path.split("/", 3)[3], data)
        elif path.startswith("/api/v1/"):
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                self.problem(401, "not-authenticated", "This API key is not known.")
                return
            self.api(path.removeprefix("/api/v1/"), data)
        else:
            self.public(path)

    do_GET = do_POST = do_PUT = do_DELETE = handle_request  # noqa: N815 (http.server's names)

    def public(self, path: str) -> None:
        site = self.site
        size = len(site.keys.leaves)
        if path in site.files:
            self.answer(200, site.files[path])
        elif path == "/.well-known/commonhold/trusted_root.json":
            self.answer(200, site.keys.trusted_root())
        elif path == "/status/":
            self.answer(200, {"lists": site.status_lists})
        elif path == "/log/checkpoint":
            root = merkle.tree_root(size, site.log_nodes())
            note = notes.Checkpoint(bundles.ORIGIN, size, root).sign(site.keys.log_key)
            self.answer(200, note.encode())
        elif path == f"/log/tile/0/000.p/{size}":
            self.answer(200, tiles.tile_bytes(0, 0, size, site.log_nodes()))
        else:
            self.problem(404, "not-found", f"There is nothing at {path}.")

    def signed(self, generation: str, rest: str, data: bytes) -> None:
        with self.site.lock:
            if self.site.expire_after is not None:
                self.site.expire_after -= 1
                if self.site.expire_after == 0:
                    self.site.generation += 1
        if int(generation) != self.site.generation:
            self.problem(403, "expired", "This address has run out.")
        elif self.command == "PUT":
            upload_id, _, number = rest.partition("/")
            self.receive_part(upload_id, number, data)
        else:
            self.send_file(rest)

    def receive_part(self, upload_id: str, number: str, data: bytes) -> None:
        promised = self.headers["x-amz-checksum-sha256"]
        with self.site.lock:
            damaged = self.site.corrupt[f"part {number}"] > 0
            self.site.corrupt[f"part {number}"] -= damaged
        if damaged:
            data = data[:-1]
        if base64.b64encode(hashlib.sha256(data).digest()).decode() != promised:
            self.problem(422, "digest-mismatch", f"Part {number} arrived damaged.")
            return
        with self.site.lock:
            upload = self.site.uploads[upload_id]
            after = self.site.refuse_parts_after
            refused = after is not None and len(upload["received"]) >= after
            if not refused:
                upload["received"][int(number)] = data
        if refused:
            self.problem(403, "expired", "This address has run out.")
        else:
            self.answer(200, {}, ETag=f'"{number}"')

    def send_file(self, name: str) -> None:
        data = (self.site.release / name).read_bytes()
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        with self.site.lock:
            if self.site.corrupt[name] > 0:
                self.site.corrupt[name] -= 1
                data = bytes([data[0] ^ 1]) + data[1:]
            cut = self.site.cuts[name].pop(0) if self.site.cuts.get(name) else None
        start = 0
        requested = self.headers.get("Range")
        if requested and self.headers.get("If-Range") == etag:
            start = int(requested.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("ETag", etag)
        self.end_headers()
        if cut is None:
            self.wfile.write(data[start:])
            return
        self.wfile.write(data[start : start + cut])
        self.wfile.flush()
        self.close_connection = True

    def api(self, path: str, data: bytes) -> None:
        match [self.command, *path.split("/")]:
            case ["GET", "me"]:
                self.answer(200, answers.ME)
            case [_, "uploads", *rest]:
                self.uploads(rest, data)
            case ["GET", "grants"]:
                old = answers.GRANT | {"id": "g0", "state": "revoked", "version": 2}
                fallen = {"id": "g2", "consent_state": "withdrawn", "version": 3}
                grants = [answers.GRANT, old, answers.GRANT | fallen]
                self.answer(200, answers.page(grants))
            case ["GET", "grants", "g1", "release"]:
                facts = {name: answers.GRANT[name] for name in ("dataset", "version")}
                self.answer(200, {"grant": "g1", **facts, "files": self.release_files()})
            case ["GET", "offers", "7", "quote"]:
                self.answer(200, self.quote())
            case ["POST", "orders"]:
                self.order(json.loads(data))
            case [method, "datasets", *rest]:
                self.datasets(method, rest, data)
            case _:
                self.problem(404, "not-found", f"There is no {path}.")

    def uploads(self, rest: list[str], data: bytes) -> None:
        match rest:
            case []:
                self.begin_upload(json.loads(data))
            case [upload_id, "complete"]:
                self.complete_upload(upload_id, json.loads(data)["sha256"])
            case [upload_id] if upload_id in self.site.uploads:
                self.answer(200, self.site.upload(upload_id))
            case _:
                self.problem(404, "not-found", "This upload has expired.")

    def datasets(self, method: str, rest: list[str], data: bytes) -> None:
        site, name = self.site, "/".join(rest[:2])
        if not rest:
            self.dataset_list(method, data)
            return
        if name not in site.datasets:
            self.problem(404, "not-found", f"There is no dataset {name}.")
            return
        newest, state = site.datasets[name]
        match [method, *rest[2:]]:
            case ["GET"]:
                self.answer(200, site.dataset(name))
            case ["GET", "offers"]:
                self.answer(200, answers.page([answers.OFFER]))
            case ["POST", "versions"]:
                is_new = state == "sealed"
                newest, state = (newest + 1, "draft") if is_new else (newest, state)
                site.datasets[name] = (newest, state)
                self.answer(201 if is_new else 200, {"number": newest, "state": state})
            case ["GET", "versions", number] if number == str(newest):
                self.answer(200, site.version(name))
            case ["POST", "versions", number, "process"] if number == str(newest):
                site.datasets[name] = (newest, "processing")
                self.answer(202, site.version(name))
            case ["POST", "consent", "import"]:
                self.import_consent(data)
            case _:
                self.problem(404, "not-found", f"There is no {'/'.join(rest)}.")

    def dataset_list(self, method: str, data: bytes) -> None:
        site = self.site
        if method == "POST":
            name = f"radio-example/{json.loads(data)['slug']}"
            site.add(name, "draft")
            self.answer(201, site.dataset(name))
            return
        query = parse_qs(urlsplit(self.path).query)
        found = [answers.summary(name) for name in sorted(site.datasets)]
        if "q" in query:
            found = [entry for entry in found if query["q"][0] in entry["slug"]]
        page = int(query.get("page", ["1"])[0])
        more = f"?page={page + 1}" if page < len(found) else None
        one = answers.page(found[page - 1 : page], more=more)
        self.answer(200, one | {"count": len(found)})

    def import_consent(self, data: bytes) -> None:
        if b"unknown.wav" in data:
            message = "There is no file unknown.wav."
            row = {"row": 2, "field": "file", "code": "consent-row-invalid", "message": message}
            detail = "Nothing was imported: 1 of 1 rows can't stand. There is no file unknown.wav."
            self.problem(422, "consent-import-refused", detail, rows=[row])
            return
        known = len(self.site.consents) > 0
        self.site.consents.append(data)
        made = {"known": 1} if known else {"speakers": 1, "records": 1, "scopes": 1}
        self.answer(201, answers.imported(**made))

    def begin_upload(self, wish: Json) -> None:
        path = wish["path"]
        if wish["size"] == 0:
            self.problem(422, "upload-invalid", f"“{path}” is empty.", path=path)
            return
        if path in self.site.stored:
            detail = f"“{path}” is in this version already."
            self.problem(409, "path-taken", detail, path=path, taken_by=path)
            return
        upload_id = f"u{len(self.site.uploads) + 1}"
        facts: Json = {"id": upload_id, "state": "open", "error": None, "received": {}}
        self.site.uploads[upload_id] = wish | facts
        self.answer(201, self.site.upload(upload_id))

    def complete_upload(self, upload_id: str, sha256: str) -> None:
        upload = self.site.uploads[upload_id]
        path = upload["path"]
        data = b"".join(upload["received"][number] for number in sorted(upload["received"]))
        if hashlib.sha256(data).hexdigest() != sha256 or len(data) != upload["size"]:
            detail = f"“{path}” is not what was promised."
            upload["state"], upload["error"] = "refused", detail
            self.problem(422, "upload-refused", detail, path=path, reason="digest-mismatch")
            return
        upload["state"] = "complete"
        self.site.stored[path] = data
        self.answer(200, {"state": "complete", "file": answers.received(path, data)})

    def release_files(self) -> list[Json]:
        folder = self.site.release
        return [
            {
                "path": path.relative_to(folder).as_posix(),
                "size": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "url": f"{self.site.url}/signed/{self.site.generation}/{path.relative_to(folder)}",
            }
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        ]

    def quote(self) -> Json:
        return answers.quote()

    def order(self, wish: Json) -> None:
        key = self.headers["Idempotency-Key"]
        if wish["accept_terms_sha256"] != self.quote()["terms_sha256"]:
            self.problem(409, "terms-changed", "The terms have changed since you read them.")
            return
        is_new = key not in self.site.orders
        fresh = answers.order(len(self.site.orders) + 1)
        self.answer(201 if is_new else 200, self.site.orders.setdefault(key, fresh))


@contextmanager
def running():
    """Serve a FakeSite on a free port of this machine."""
    site = FakeSite()
    handler = type("BoundHandler", (Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
