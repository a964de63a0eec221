"""What the code, its scripts, the image and its front door do nowhere (docs/security.md)."""

import ast
import re
import ssl
from functools import cache

from commonhold.signing import make_key
from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend

from tests.reading import ROOT, calls, imported, is_ours, sources, trees


def test_no_template_is_made_of_what_was_sent():
    made = ("Template", "from_string", "Engine")
    used = {path for path, tree in trees().items() if calls(tree, *made)}
    assert used == set()


def test_no_pattern_is_made_of_what_was_sent():
    functions = ("compile", "search", "match", "fullmatch", "sub", "split", "findall", "finditer")
    for path, tree in trees().items():
        found = calls(tree, *functions)
        patterns = [call.args[0] for call in found if ast.unparse(call.func).startswith("re.")]
        made = [ast.unparse(one) for one in patterns if not is_ours(one)]
        # Those that a language's rules are put together from, each letter escaped.
        assert made == [] or path.startswith("ingestion/pipeline/"), (path, made)


def test_no_sentence_is_made_of_what_was_sent():
    for path, tree in trees().items():
        for call in calls(tree, "format", "format_map"):
            assert isinstance(call.func, ast.Attribute)
            template = call.func.value
            is_query = isinstance(template, ast.Call) and ast.unparse(template.func) == "sql.SQL"
            source = template.args[0] if is_query else template  # type: ignore[attr-defined]
            assert is_ours(source), (path, ast.unparse(call))


def test_no_page_marks_what_was_sent_as_safe():
    marked = {path for path, tree in trees().items() if calls(tree, "mark_safe", "SafeString")}
    assert marked == set()
    for page in (ROOT / "templates").rglob("*.html"):
        text = page.read_text()
        assert "autoescape" not in text, page
        # Help beside a field is a sentence of ours.
        assert set(re.findall(r"(\w+)\|safe\b", text)) <= {"help"}, page


def test_no_program_of_the_site_calls_elsewhere():
    """The client does, and its library; `manage.py up` asks itself whether it runs."""
    callers = {"httpx", "requests", "urllib.request", "http.client", "ftplib", "telnetlib"}
    callers |= {"smtplib", "aiohttp", "urllib3", "poplib", "imaplib", "xmlrpc"}
    found = {
        path
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and imported(node) & callers
    }
    site = {path for path in found if not path.startswith("sdk/")}
    assert site == {"marketplace/management/commands/up.py"}
    client = {"client", "downloading", "fetching", "uploading"}
    used = {
        name
        for path, tree in trees().items()
        if not path.startswith("sdk/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imported(node)
        if name.startswith("commonhold.")
    }
    assert used
    assert used & {f"commonhold.{name}" for name in client} == set()


def test_primitives_come_from_one_library():
    own = {"Crypto", "Cryptodome", "nacl", "rsa", "ecdsa", "OpenSSL", "pyaes", "jwt", "random"}
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                roots = {name.split(".")[0] for name in imported(node)}
                assert roots & own == set(), path
        used = {ast.unparse(call.func) for call in calls(tree, "md5", "sha1", "new")}
        assert not {one for one in used if one.startswith("hashlib.")}, path


def test_no_cipher_but_aes_gcm_is_used():
    ciphers = re.compile(r"cryptography\.(?:fernet|hazmat\.primitives\.(?:ciphers|asymmetric)\S*)")
    found = {
        name
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in ciphers.findall(node.module or "")
    }
    assert found == {
        "cryptography.hazmat.primitives.asymmetric",
        "cryptography.hazmat.primitives.asymmetric.utils",
        "cryptography.hazmat.primitives.ciphers.aead",
    }
    paddings = [path for path in sources() if re.search(r"PKCS1|\bECB\b|\brsa\b", path.read_text())]
    assert paddings == []


def test_every_key_has_128_bits():
    assert make_key("ES256").public.key.curve.key_size == 256
    assert make_key("Ed25519").algorithm == "Ed25519"


def test_secrets_have_128_bits_and_come_from_the_system():
    least = {"token_urlsafe": 16, "token_hex": 16, "token_bytes": 12}
    found = [
        (path, call)
        for path, tree in trees().items()
        for call in calls(tree, *least)
        if ast.unparse(call.func).startswith("secrets.") and not path.startswith("sdk/")
    ]
    assert len(found) >= 4
    for path, call in found:
        if isinstance(call.args[0], ast.Constant):
            name = ast.unparse(call.func).rpartition(".")[2]
            assert call.args[0].value >= least[name], path


def test_a_mail_server_without_a_good_certificate_is_refused():
    context = EmailBackend(use_tls=True).ssl_context
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not getattr(settings, "EMAIL_SSL_CERTFILE", None)


def test_the_log_goes_to_standard_error_alone():
    kinds = [handler["class"] for handler in settings.LOGGING["handlers"].values()]
    assert kinds == ["logging.StreamHandler"]


# ---- scripts of pages ----


@cache
def scripts() -> dict[str, str]:
    found = {path.name: path.read_text() for path in (ROOT / "assets" / "js").glob("*.js")}
    assert len(found) > 5
    return found


def test_no_script_of_a_page_makes_markup_or_code():
    made = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|postMessage"
        r"|addEventListener\([\"']message|setTimeout\([\"']|javascript:|__proto__|\.prototype\b"
        r"|\[[A-Za-z_.$]+\] = "
    )
    assert {name: made.findall(text) for name, text in scripts().items() if made.search(text)} == {}
    assert '"allowEval": false' in (ROOT / "templates" / "base.html").read_text()


def test_a_browser_keeps_numbers_of_uploads_alone():
    keepers = [name for name, text in scripts().items() if "Storage" in text or "indexedDB" in text]
    assert keepers == ["transfer.js"]
    kept = re.findall(r"localStorage\.setItem\((.+)\)", scripts()["transfer.js"])
    assert kept == ["this.key, upload.id"]
    assert not any("document.cookie" in text for text in scripts().values())


# ---- the image and its front door ----


def nginx() -> str:
    lines = (ROOT / "docker" / "nginx.conf").read_text().splitlines()
    return "\n".join(line.split("#")[0].rstrip() for line in lines)


def test_the_front_door_speaks_today_s_tls_alone():
    assert re.findall(r"ssl_protocols (.+);", nginx()) == ["TLSv1.2 TLSv1.3"]
    [suites] = re.findall(r"ssl_ciphers (.+);", nginx())
    for suite in suites.split(":"):
        assert suite.startswith("ECDHE-"), suite
        assert "GCM" in suite or "POLY1305" in suite, suite
    assert re.findall(r"listen (.+);", nginx()) == [
        "8080 default_server",
        "8443 ssl http2 default_server",
    ]


def test_the_front_door_leads_people_to_https_and_refuses_programs():
    plain = nginx().split("listen 8080")[1].split("listen 8443")[0]
    assert "return 301 https://" in plain
    assert re.search(r"location ~ \^/\(api\|hf\|mdc\|mcp\|webhooks\).+?\{\s+return 403;", plain)
    assert "proxy_pass" not in plain


def test_the_front_door_says_it_on_its_own_answers_as_well():
    for header, variable in re.findall(r"add_header (\S+) \$(\w+) always;", nginx()):
        assert re.search(rf"map \$upstream_http_\w+ \${variable} \{{\s+\"\" ", nginx()), header
    headers = re.findall(r"add_header (\S+)", nginx())
    assert headers == [
        "Strict-Transport-Security", "X-Content-Type-Options", "Content-Security-Policy"
    ]  # fmt: skip
    assert f"max-age={31_536_000}; includeSubDomains" in nginx()


def test_the_front_door_adds_its_visitor_to_the_hops_that_the_site_counts_from_the_end():
    sent = dict(re.findall(r"proxy_set_header (\S+) (.+);", nginx()))
    assert sent["X-Forwarded-For"] == "$proxy_add_x_forwarded_for"
    assert sent["X-Forwarded-Proto"] == "$scheme"
    assert sent["X-Forwarded-Host"] == sent["Forwarded"] == '""'


def test_the_front_door_leads_to_the_site_alone():
    assert set(re.findall(r"proxy_pass (.+);", nginx())) == {"http://site"}
    assert re.findall(r"server (\S+:\d+);", nginx()) == ["web:8000"]
    assert not re.search(r"autoindex|\broot |\balias ", nginx())


def test_the_image_is_made_of_named_folders():
    copied = re.findall(r"^COPY (.+)$", (ROOT / "docker" / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()[:-1]}
    assert names & {".", "./", "*", ".git", "tests", "demo", "docs", "benchmarks"} == set()
    assert ".*" in (ROOT / ".dockerignore").read_text().splitlines()


def test_every_lock_is_asked_about_each_day():
    assert "make audit" in (ROOT / ".ci" / "daily").read_text()
    makefile = (ROOT / "Makefile").read_text()
    asked = re.search(r"@for lock in ([\w ]+); do echo \"requirements/", makefile)
    assert asked is not None
    locks = {path.stem for path in (ROOT / "requirements").glob("*.txt")} - {"debian"}
    # Of whisper-cpu, torch alone is another build of the same version.
    assert set(asked[1].split()) == locks - {"whisper-cpu"}
    assert "npm audit" in makefile
