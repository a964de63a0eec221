"""What a page, a guide or a help text tells people to type does what it says, with the demo."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import torchless
from tests.journeys import real_speech
from tests.journeys.snippets import ROOT, Desk, Snippet, of_markdown, of_page
from tests.running import Site, running

pytestmark = pytest.mark.xdist_group("site")

SOKO, ACEQUIA = "radio-mtoni/bei-za-soko", "acequia-san-roque/voces-de-la-acequia"
# Each place buys an offer of its own: the demo has one for each.
README_OFFER, TRAINER_OFFER, HELP_OFFER, SDK_OFFER = "1", "3", "2", "4"
INSTALLS = "pip install ./sdk"  # needs a network; the tests have it installed
NOT_RUN = {
    "README.md": {
        "make run": "it is what the site of this test was started by",
        "make test": "it is running",
    },
    "docs/guides/operator.md": {
        "make run": "it is what the site of this test was started by",
        "make install": "it needs a network, and tests/house/test_ground.py asks for what it does",
        "make audit": "it needs a network",
        ".venv/bin/python manage.py up": "it is what the site of this test was started by",
        "manage.py up": "it is what the site of this test was started by",
        "manage.py shell": "it waits for somebody to type",
        "docker compose": "docker/try runs these containers",
        "docker inspect": "docker/try runs these containers",
        "cp docker/example.env": "docker/try runs these containers",
        "mkdir docker/tls": "docker/try runs these containers",
        "COMMONHOLD_DEMO=0": "the test of the restore starts a site so",
    },
    "/log": {
        "127.0.0.1\n": "it is the checkpoint",
        "127.0.0.1+": "it is the verifier key",
    },
}
PAGES = (
    "/help/", "/help/how-it-works", "/help/consent", "/help/verify", "/help/command-line",
    "/verify", "/log", f"/d/{SOKO}", f"/d/{ACEQUIA}",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """A running Commonhold with the demo."""
    folder = tmp_path_factory.mktemp("snippets") / "data"
    with running(folder, COMMONHOLD_DEMO="1") as started:
        yield started


@pytest.fixture(scope="module")
def demo(site) -> dict:
    """Whom the demo knows."""
    return json.loads(site.manage("demo", "--json"))


@pytest.fixture
def desk(site, demo, tmp_path) -> Desk:
    """The trainer's machine, with nothing on it but the command and a clone."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in (".venv", "manage.py", "sdk"):
        (folder / name).symlink_to(Path(sys.prefix) if name == ".venv" else ROOT / name)
    replaced = {
        "http://127.0.0.1:8000": site.url,
        "COMMONHOLD_API_KEY=…": f"COMMONHOLD_API_KEY={demo['trainer']['api_key']}",
    }
    return Desk(
        folder,
        replaced,
        COMMONHOLD_URL=site.url,
        COMMONHOLD_API_KEY=demo["trainer"]["api_key"],
        DATA_DIR=str(site.data_dir),
        PYTHONPATH=torchless.stand_ins(tmp_path),
        HF_HUB_OFFLINE="1",
    )


def page(site: Site, path: str) -> list[Snippet]:
    """What a page shows to everybody."""
    answer = httpx.get(site.url + path, follow_redirects=True, timeout=60).raise_for_status()
    return of_page(path, answer.text)


def is_shown_only(snippet: Snippet) -> bool:
    """Whether NOT_RUN says why nobody types it here, or it is the root key's fingerprint."""
    known = tuple(NOT_RUN.get(snippet.where, {}))
    is_fingerprint = snippet.where == "/log" and re.fullmatch(r"([0-9a-f]{8}\s*){8}", snippet.text)
    return bool(is_fingerprint) or snippet.text.startswith(known)


def take_part(snippets: list[Snippet], desk: Desk) -> str:
    """Type everything that a place shows, in its order, but for what NOT_RUN names."""
    said = ""
    for snippet in snippets:
        if not is_shown_only(snippet):
            said += desk.type(snippet, (INSTALLS, *NOT_RUN.get(snippet.where, {})))
    return said


def test_the_readme_never_tells_what_fails(desk):
    desk.replaced |= {"--offer ID": f"--offer {README_OFFER}"}
    said = take_part(of_markdown(ROOT / "README.md"), desk)
    assert SOKO in said
    assert "Nothing failed." in said
    assert "tafsiri" in said


def test_the_trainers_guide_never_tells_what_fails(desk, site):
    first, *rest = of_markdown(ROOT / "docs/guides/trainer.md")
    said = desk.type(first, [INSTALLS])
    assert f"{ACEQUIA}  " in said, "the search finds nothing"
    release = desk.folder / "voces"
    for snippet in rest:
        is_inside = "manifest.dsse.json" in snippet.text
        if is_inside:
            desk.folder, before = release, desk.folder
        said += desk.type(whole(snippet, release), [])
        if is_inside:
            desk.folder = before
    assert "Verified OK" in said
    assert "FAILED" not in said


def whole(snippet: Snippet, release: Path) -> Snippet:
    """A command of which running text has only the beginning, with what it needs."""
    ends = {"commonhold verify": f" {release}", "commonhold download": f" {ACEQUIA} --to {release}"}
    return Snippet(snippet.where, snippet.kind, snippet.text + ends.get(snippet.text, ""))


def test_the_contributors_guide_never_tells_what_fails(desk, demo):
    key = demo["contributor"]["api_key"]
    desk.environment["COMMONHOLD_API_KEY"] = key
    real_speech.lay_out(desk.folder / "recordings")
    said = take_part(of_markdown(ROOT / "docs/guides/contributor.md"), desk)
    assert "Logged in" in said
    # Again, as the guide says of a broken line, and as the help page has it.
    send, *others = [
        one for one in page_of_contributor(desk) if one.text.startswith("commonhold upload")
    ]
    assert not others
    (desk.folder / "consents.csv").write_bytes((desk.folder / "consent.csv").read_bytes())
    desk.replaced |= {
        "radio-kasese/": f"{demo['contributor']['organization']}/",
        "--consent consents.csv": "--consent consents.csv --notice notice.txt",
    }
    assert "morning-show" in desk.type(send)


def page_of_contributor(desk: Desk) -> list[Snippet]:
    """What the help page on the command line shows."""
    answer = httpx.get(f"{desk.environment['COMMONHOLD_URL']}/help/command-line", timeout=60)
    return of_page("/help/command-line", answer.raise_for_status().text)


def test_the_help_on_the_command_line_never_tells_what_fails(desk, site):
    desk.replaced |= {
        "radio-kasese/morning-show": SOKO,
        '"call-in show" --language nnb': "soko --language sw",
        "--offer 12": f"--offer {HELP_OFFER}",
    }
    shown = [one for one in page(site, "/help/command-line") if "upload" not in one.text]
    said = take_part(shown, desk)
    assert f"{SOKO}  " in said
    assert "Nothing failed." in said


@pytest.fixture
def release(desk) -> Path:
    """A download."""
    order = f"commonhold buy {ACEQUIA} --offer {SDK_OFFER} --accept --another"
    desk.type(Snippet("before", "sh", f"{order}\ncommonhold download {ACEQUIA} --to release\n"))
    return desk.folder / "release"


def test_the_help_on_verifying_never_tells_what_fails(desk, site, release):
    keys, *rest = page(site, "/help/verify")
    desk.folder = desk.home
    desk.type(keys)
    desk.folder = release
    said = take_part(rest, desk)
    for promised in ("Verified OK", "all files OK", '"iat"'):
        assert promised in said
    both = [line.split()[0] for line in said.splitlines() if re.match(r"[0-9a-f]{64}", line)]
    assert both[0] == both[1], "the key's name is the digest of its bytes"


def test_the_pages_never_tell_what_fails(desk, site, release):
    desk.replaced |= {"FOLDER": str(release)}
    for path in PAGES:
        if path not in {"/help/verify", "/help/command-line"}:
            take_part(page(site, path), desk)


def test_the_sdks_readme_never_tells_what_fails(desk, site, release):
    desk.replaced |= {
        "--language de": "--language es",
        "ORG/DATASET --offer ID": f"{ACEQUIA} --offer {SDK_OFFER} --another",
        "ORG/DATASET": ACEQUIA,
        "org/dataset": ACEQUIA,
        " DIR": " again",
    }
    assert ACEQUIA in take_part(of_markdown(ROOT / "sdk/README.md"), desk)


def test_the_license_page_and_a_new_key_never_tell_what_fails(desk, site, demo, release):
    with httpx.Client(base_url=site.url, follow_redirects=True, timeout=60) as browser:
        sign_in(browser, demo["trainer"])
        library = browser.get("/library/").raise_for_status().text
        license_page = re.search(r"/library/[0-9a-f-]{36}", library)[0]
        shown = of_page("license", browser.get(license_page).raise_for_status().text)
        account = browser.get("/account/")
        fields = {"key-name": "box", "key-scopes": ["read", "download"], "key-days": "90"}
        made = post(browser, "/account/keys/", account.text, fields)
    assert [one.text.split()[0] for one in shown[:2]] == ["commonhold", "import"]
    assert take_part([one for one in shown if one.text != "commonhold verify"], desk).endswith(
        "10\n"
    )
    exports = of_page("account", made.text)[0]
    del desk.environment["COMMONHOLD_API_KEY"], desk.environment["COMMONHOLD_URL"]
    desk.type(Snippet("account", "sh", f"{exports.text}commonhold search soko\n"))


def sign_in(browser: httpx.Client, person: dict) -> None:
    """Enter by the front door."""
    entrance = browser.get("/accounts/login/")
    fields = {"login": person["email"], "password": person["password"]}
    assert "logout" in post(browser, "/accounts/login/", entrance.text, fields).text


def post(browser: httpx.Client, path: str, shown: str, fields: dict) -> httpx.Response:
    """Send a form that a page showed."""
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown)[1]
    data = {**fields, "csrfmiddlewaretoken": token}
    answer = browser.post(path, data=data, headers={"Referer": f"{browser.base_url}"})
    assert answer.is_success, answer.text
    return answer


def operators_guide() -> list[Snippet]:
    """What the guide tells to type, but for the restore, which is for another DATA_DIR."""
    return of_markdown(ROOT / "docs/guides/operator.md")


def is_restore(snippet: Snippet) -> bool:
    return 'mkdir -m 700 "$DATA_DIR"' in snippet.text or "pg_restore" in snippet.text


def test_the_operators_guide_never_tells_what_fails(desk, demo):
    desk.replaced |= {
        "end_sessions EMAIL": f"end_sessions {demo['trainer']['email']}",
        "rotate_key PURPOSE": "rotate_key status",
        "email='…'": "email='nobody@example.org'",
    }
    for snippet in operators_guide():
        text = re.sub(r"^manage\.py", ".venv/bin/python manage.py", snippet.text)
        if not is_shown_only(snippet) and not is_restore(snippet):
            desk.type(Snippet(snippet.where, snippet.kind, text), NOT_RUN[snippet.where])


def test_a_restored_backup_never_lacks_what_was_saved(desk, site, tmp_path):
    saving, first, second = [
        one for one in operators_guide() if is_restore(one) or "pg_dump -h" in one.text
    ]
    desk.type(saving)
    checkpoint = httpx.get(f"{site.url}/log/checkpoint", timeout=60).text
    new = tmp_path / "new"
    desk.environment["DATA_DIR"] = str(new)
    desk.type(first)
    with running(new):
        desk.type(second)
    with running(new) as restored:
        restored.manage("fsck")
        size = int(checkpoint.splitlines()[1])
        found = httpx.get(f"{restored.url}/log/checkpoint", timeout=60).text
        assert int(found.splitlines()[1]) >= size
        assert httpx.get(f"{restored.url}/d/{SOKO}", timeout=60).is_success


def test_help_texts_name_no_command_that_is_not_there():
    program = Path(sys.executable).parent / "commonhold"

    def told(*path: str) -> str:
        command = [program, *path, "--help"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def named(text: str) -> set[str]:
        return set(re.findall(r"^  (\w+) ", text.partition("Commands:")[2], re.MULTILINE))

    commands = named(told())
    for command in commands:
        mentioned = set(re.findall(r"`commonhold (\w+)", told(command) + told()))
        assert mentioned <= commands, command


def test_no_page_with_something_to_type_is_left_out():
    """A template that shows code belongs to a page that is tried above."""
    tried = {"help", "verify", "log", "library", "settings", "datasets"}
    # A digest, a name of a file or of a column, codes to write down: nothing to type.
    nothing_to_type = {
        "mfa/recovery_codes/index.html",
        "mfa/totp/activate_form.html",
        "pages/studio/overview.html",
        "pages/studio/consent_import.html",
    }
    shows = re.compile(r"<pre|<code>|{% code")
    pages = [
        path.relative_to(ROOT / "templates")
        for path in (ROOT / "templates").rglob("*.html")
        if shows.search(path.read_text()) and path.parent.name != "components"
    ]
    left = {
        path.as_posix() for path in pages if path.parts[0] != "pages" or path.parts[1] not in tried
    }
    assert left == nothing_to_type
