"""Whatever a site answers, a command ends with a sentence and a code, and no escape is printed."""

import gzip
import json
import unicodedata

import pytest
from click.testing import CliRunner
from commonhold import addresses, cli, client, downloading, fetching, receiving, shapes
from commonhold.client import Client, Credentials, NetworkError, NotConfiguredError
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk import answers, bundles, fake_site

DATASET = "radio-example/kurzwelle"
ESCAPES = "\x1b[2J\x1b]0;mine\x07\u202e\x9b1m\r\n"
WRONG = [None, True, -1, 10**30, 1.5, float("inf"), "x", "é", [], {}, [None], {"x": None}]
COMMANDS = {
    "login": ("login",),
    "search": ("search",),
    "quote": ("quote", DATASET, "--offer", "7"),
    "buy": ("buy", DATASET, "--offer", "7", "--accept"),
    "status": ("status", "kurzwelle"),
    "upload": ("upload", "TAPE", "--dataset", "kurzwelle", "--consent", "TABLE"),
    "download": ("download", DATASET, "--to", "HERE"),
    "log": ("log", "check"),
}


@pytest.fixture
def site(monkeypatch, tmp_path):
    monkeypatch.setattr(client, "ATTEMPTS", 1)
    monkeypatch.setattr(client.Client, "pause", lambda *_: None)
    with fake_site.running() as running:
        running.add(DATASET)
        running.release = bundles.write(tmp_path / "released", running.keys)
        monkeypatch.setenv("COMMONHOLD_URL", running.url)
        monkeypatch.setenv("COMMONHOLD_API_KEY", fake_site.KEY)
        yield running


@pytest.fixture
def command(tmp_path):
    (tmp_path / "tape.wav").write_bytes(b"sound")
    (tmp_path / "table.csv").write_text("speaker_name,file\nAda,tape.wav\n")
    places = {
        "TAPE": str(tmp_path / "tape.wav"),
        "TABLE": str(tmp_path / "table.csv"),
        "HERE": str(tmp_path / "here"),
    }
    return lambda name, *more: [*(places.get(word, word) for word in COMMANDS[name]), *more]


def run(arguments):
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in {0, 1, 2, 3}
    assert result.stdout or result.stderr
    return result


def leaves(value, *, where=()):
    """Every place in a JSON document, the whole first."""
    yield where
    inner = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        inner = enumerate(value[:1])
    for key, one in inner:
        yield from leaves(one, where=(*where, key))


def put(document, where, value):
    """The document with another value at a place; LOST takes the member away."""
    if not where:
        return value
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in where[:-1]:
        inner = inner[key]
    if value is LOST:
        del inner[where[-1]]
    else:
        inner[where[-1]] = value
    return copy


LOST = object()


def answers_of(site, arguments):
    """What the site answers to a command, by path."""
    found = {}
    site.tamper = found.setdefault
    run(arguments)
    # The dataset and its version are those that `status` asks for as well.
    seen = (f"/{DATASET}", "/versions/1") if arguments[0] == "upload" else ("nothing",)
    return {path: body for path, body in found.items() if body and not path.endswith(seen)}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_malformed_answer_never_ends_in_a_traceback(site, command, name):
    tried = 0
    for path, body in answers_of(site, command(name)).items():
        for where in leaves(body):
            tried += 1
            # What is lacking, and one of the kinds of wrong, another at each place.
            wrong = WRONG[tried % len(WRONG)]
            for value in (wrong, LOST) if where else (wrong,):
                site.tamper = lambda asked, answer, p=path, w=where, v=value: (
                    put(answer, w, v) if asked == p and has(answer, w) else answer
                )
                site.uploads.clear()
                site.stored.clear()
                run(command(name))
    assert tried > 1


def has(document, where):
    for key in where:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def is_plain(text):
    return all(char == "\n" or unicodedata.category(char)[0] != "C" for char in text)


def escaped(value):
    """A document with escapes in every text of it."""
    if isinstance(value, str):
        return value + ESCAPES
    if isinstance(value, list):
        return [escaped(one) for one in value]
    if isinstance(value, dict):
        return {key: escaped(one) for key, one in value.items()}
    return value


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_command_prints_what_a_site_says_raw(site, command, name, form):
    for path, body in answers_of(site, command(name)).items():
        for where in [*leaves(body), None]:
            site.tamper = lambda asked, answer, p=path, w=where: (
                (escaped(answer) if w is None else put(answer, w, escaped(at(answer, w))))
                if asked == p and (w is None or has(answer, w))
                else answer
            )
            result = run(command(name, *form))
            assert is_plain(result.stdout + result.stderr), (path, where)


def at(document, where):
    for key in where:
        document = document[key]
    return document


def test_what_a_refusal_says_is_not_printed_raw(site, monkeypatch):
    site.tamper = lambda _, __: {"title": ESCAPES, "detail": f"no{ESCAPES}", "code": ESCAPES}
    monkeypatch.setenv("COMMONHOLD_API_KEY", "wrong")
    for arguments in (["search"], ["search", "--json"]):
        result = run(arguments)
        assert result.exit_code == 1
        assert is_plain(result.stdout + result.stderr)


def test_what_a_manifest_says_is_not_printed_raw(tmp_path, monkeypatch):
    """A licensee that wipes the screen and writes its own verdict."""
    honest = bundles.grant
    licensee = {"name": "\x1b[2J\x1b[1;1Hsignature ok"}
    monkeypatch.setattr(bundles, "grant", lambda block: honest(block, licensee=licensee))
    folder = bundles.write(tmp_path / "here", bundles.Site())
    for form in ((), ("--json",)):
        result = run(["verify", str(folder), "--offline", "--trust-on-first-use", *form])
        assert is_plain(result.stdout)
        assert "signature ok" in result.stdout


# ---- size and form ---------------------------------------------------------------------------


def opened(site):
    return Client(site.url, fake_site.KEY, backoff_s=0.001)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"results":', b"\xff", b"1" * 5000, b'{"results":1}', b"NaN", b"null"],
)
def test_an_answer_that_is_no_answer_is_a_servers_error(site, body):
    site.tamper = lambda _, __: body
    assert run(["search"]).exit_code == 3


def test_a_few_packed_bytes_do_not_become_gigabytes(site, monkeypatch):
    packed = gzip.compress(b" " * (100 * 1024 * 1024))
    assert len(packed) < 200_000
    honest = fake_site.Handler.answer
    monkeypatch.setattr(
        fake_site.Handler,
        "answer",
        lambda self, status, *_, **__: honest(self, status, packed, Content_Encoding="gzip"),
    )
    with opened(site) as client, pytest.raises(shapes.AnswerError, match="more than"):
        client.request("GET", "me")
    with opened(site) as client, pytest.raises(shapes.AnswerError, match="more than 1,048,576"):
        client.site_file("/log/checkpoint")


def test_a_redirect_is_not_taken_for_an_answer(site, monkeypatch):
    honest = fake_site.Handler.answer
    monkeypatch.setattr(
        fake_site.Handler,
        "answer",
        lambda self, *_, **__: honest(self, 302, b"key", Location=f"{site.url}/other"),
    )
    with opened(site) as client, pytest.raises(client_errors(), match="302"):
        client.site_file("/log/checkpoint")
    assert "GET /other" not in site.requests


def client_errors():
    return client.ServerError


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://x/y", "x", "http://", "http://[::1", "http://a\nb/", ""),
        *("http://x..example/", "http://.example/", f"http://{'a' * 64}.example/"),
    ],
)
def test_a_file_at_no_address_of_the_web_is_refused_at_once(site, url):
    def tamper(path, body):
        if path.endswith("/release"):
            body["files"][0]["url"] = url
        return body

    site.tamper = tamper
    with opened(site) as client, pytest.raises(addresses.AddressError, match="no address"):
        downloading.list_release(client, "g1")


@pytest.mark.parametrize("host", ["x..example", "a" * 64, "xn--a", "xn--a.example"])
def test_a_host_that_can_not_be_looked_up_is_said(site, host, tmp_path):
    url = f"http://{host}/1"
    with pytest.raises(fetching.FetchError, match="could not be asked"):
        fetching.fetch_small(url)
    file = receiving.RemoteFile("a", 3, "ab" * 32, url)
    staging = receiving.Staging.beside(tmp_path / "here")
    with opened(site) as asking, staging.alone(wait=False):
        with pytest.raises(NetworkError, match="could not be fetched"):
            staging.bring(asking, file)
        with pytest.raises(NetworkError, match="can't be reached"):
            asking.patiently(lambda: asking.plain.get(url))


@pytest.mark.parametrize("member", ["sentence", "self", "problem", "status", "code", "detail"])
def test_a_refusal_may_have_any_member(site, monkeypatch, member):
    body = answers.problem(404, "not-found", "There is none.") | {member: "mine"}
    monkeypatch.setenv("COMMONHOLD_API_KEY", "wrong")
    monkeypatch.setattr(fake_site.Handler, "problem", lambda self, *_, **__: self.answer(404, body))
    result = run(["search", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)[member] == "mine"


def test_a_digest_that_is_none_is_refused_before_anything_is_asked(site):
    def tamper(path, body):
        if path.endswith("/release"):
            body["files"][0]["sha256"] = "é" * 64
        return body

    site.tamper = tamper
    with opened(site) as client, pytest.raises(shapes.AnswerError, match="sha256"):
        downloading.list_release(client, "g1")


def test_a_site_with_https_names_no_address_without():
    addresses.require_web("http://files.example/1", "http://typed.example")
    addresses.require_web("https://files.example/1", "https://typed.example")
    with pytest.raises(addresses.AddressError, match="https"):
        addresses.require_web("http://files.example/1", "https://typed.example")


@given(st.text(max_size=60))
def test_whatever_a_site_names_as_an_address_is_refused_or_of_the_web(url):
    try:
        addresses.require_web(url, "https://typed.example")
    except addresses.AddressError:
        return
    assert url.lower().startswith("https:")


def test_a_paper_that_has_no_end_is_not_read_to_it(site, monkeypatch):
    site.files["/big"] = b"x" * 3000
    assert len(fetching.fetch_small(f"{site.url}/big", 3000)) == 3000
    with pytest.raises(fetching.FetchError, match="too large"):
        fetching.fetch_small(f"{site.url}/big", 2999)


# ---- the key ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["ch_one\nch_two", "ch_secret\r", "ch secret", "ch_sécret", "ch\x00"]
)
def test_a_key_with_a_line_break_is_answered_at_once_and_never_shown(site, monkeypatch, key):
    monkeypatch.setattr(Credentials, "_kept", classmethod(lambda _: Credentials(site.url, key)))
    monkeypatch.delenv("COMMONHOLD_API_KEY")
    for arguments in (["search"], ["search", "--json"]):
        result = run(arguments)
        assert result.exit_code == 2
        assert "one line" in result.stdout + result.stderr
        assert "secret" not in result.stdout + result.stderr
        assert "ch_" not in result.stdout + result.stderr
    assert not site.requests


@pytest.mark.parametrize("kept", [b"", b"[]", b'{"url": 1}', b'{"api_key": "x"}'])
def test_damaged_credentials_are_said(monkeypatch, kept):
    Credentials("https://typed.example", "k").save()
    Credentials.path().write_bytes(kept)
    with pytest.raises(NotConfiguredError, match=r"commonhold login|not the address"):
        Credentials.find()
