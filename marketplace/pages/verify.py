"""Verifying in public: papers in, a vector out. Works for anybody, and keeps nothing."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from commonhold import index, manifest, sigstore
from commonhold.errors import CommonholdError
from commonhold.filecheck import PROOFS
from commonhold.report import Check, Report, State
from commonhold.signing import parse_envelope
from commonhold.trust import Trust, read_trusted_root
from commonhold.verify import Documents, TargetError, verify_documents
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from ingestion import keys
from marketplace.api.verify import status_list
from marketplace.templatetags import wording

TEMPLATE = "pages/verify/show.html"
MAX_BYTES = 64 * 1024 * 1024
MAX_PAPER = 16 * 1024 * 1024
MAX_FILES = 100
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
STATES = {
    State.OK: "done",
    State.WARNING: "active",
    State.FAILED: "refused",
    State.UNKNOWN: "waiting",
}
WORDS: dict[str, tuple[str, dict[State, str]]] = {
    "signature": ("Signature", {State.OK: "Genuine", State.FAILED: "Not genuine"}),
    "logged": ("Log", {State.OK: "In the public log", State.FAILED: "Not proven"}),
    "files": (
        "Files",
        {State.OK: "Unchanged", State.FAILED: "Changed", State.WARNING: "Partly checked"},
    ),
    "license": ("License", {State.OK: "In force", State.FAILED: "Not in force"}),
    "consent": (
        "Consent",
        {State.OK: "Stands", State.FAILED: "Does not stand", State.WARNING: "Not fresh"},
    ),
}


class TooLarge(CommonholdError):
    """More was sent than a verification needs."""

    code = "upload-too-large"
    status = 413


# Nothing is changed by it and nobody needs to be logged in: there is no request to forge. Without
# the exemption the whole body would be read before its size is looked at.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Show the form, or what was found in the papers that came with it."""
    context: dict[str, Any] = {"max_mib": MAX_BYTES // 1024 // 1024, "papers": PROOFS}
    if request.method != "POST":
        return render(request, TEMPLATE, context)
    try:
        report, names, trust = check(request)
    except CommonholdError as error:
        return render(request, TEMPLATE, context | {"refusal": error.message}, status=error.status)
    context |= {"report": report, "rows": rows_of(report), "names": names, "trust": trust}
    return render(request, TEMPLATE, context)


def check(request: HttpRequest) -> tuple[Report, list[str], str]:
    """Verify what was sent: the vector, the files' names, and whose keys were used.

    Raises TooLarge, TargetError.
    """
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > MAX_BYTES:
        message = (
            f"That is more than {MAX_BYTES // 1024 // 1024} MiB. Send the manifest and its proofs "
            "alone, or verify the whole folder with «commonhold verify»."
        )
        raise TooLarge(message)
    files = request.FILES.getlist("files")[:MAX_FILES]
    if not files:
        message = "Choose a manifest first: manifest.sigstore.json or manifest.dsse.json."
        raise TargetError(message)
    papers, others = sort(files)
    documents = Documents.of(papers)
    trust = trust_for(documents)
    report = verify_documents(
        documents,
        trust=trust,
        fetch=status_list,
        files=lambda statement, _withdrawn: check_sent(statement, others),
    )
    return report, [str(file.name) for file in files], describe(trust)


def sort(
    files: Sequence["UploadedFile[bytes]"],
) -> tuple[dict[str, bytes], list["UploadedFile[bytes]"]]:
    """Tell the proofs from the data: by name, or a manifest by what it says of itself."""
    papers: dict[str, bytes] = {}
    others = []
    for file in files:
        name = str(file.name)
        if name not in PROOFS:
            name = kind_of(file)
        if name in PROOFS and (file.size or 0) <= MAX_PAPER:
            papers[name] = file.read()
        else:
            others.append(file)
    return papers, others


def kind_of(file: "UploadedFile[bytes]") -> str:
    """Return the usual name of a manifest that was renamed; else nothing."""
    if not str(file.name).endswith(".json") or (file.size or 0) > MAX_PAPER:
        return ""
    data = file.read()
    file.seek(0)
    if b'"dsseEnvelope"' in data:
        return "manifest.sigstore.json"
    return "manifest.dsse.json" if b'"payloadType"' in data and b'"signatures"' in data else ""


def trust_for(documents: Documents) -> Trust:
    """Return whose keys count: this site's, or for another site's manifest those that came along.

    Raises TargetError without any manifest.
    """
    ours = read_trusted_root(keys.trusted_root())
    if documents.trusted_root is None or origin_of(documents) in {"", settings.LOG_ORIGIN}:
        return ours
    try:
        return read_trusted_root(documents.trusted_root)
    except CommonholdError:
        return ours


def origin_of(documents: Documents) -> str:
    """Return the log that a manifest names, before anything is believed; else nothing."""
    try:
        if documents.manifest is not None:
            envelope = parse_envelope(documents.manifest)
        elif documents.sigstore is not None:
            envelope = sigstore.parse_bundle(documents.sigstore)[0]
        else:
            return ""
        return str(manifest.read(envelope.payload)["predicate"]["log"]["origin"])  # type: ignore[index]  # JSON that manifest.read has checked
    except CommonholdError:
        return ""


def check_sent(statement: Mapping[str, Any], files: Sequence["UploadedFile[bytes]"]) -> Check:
    """Compare the files that came along with what was signed, by digest: browsers drop folders."""
    if not files:
        sentence = "Not checked: only the papers were given, without the files they speak of."
        return Check(State.UNKNOWN, sentence)
    signed = {str(one["digest"]["sha256"]) for one in statement["subject"]}
    count = int(statement["predicate"]["release"]["files"]["count"])
    found = {str(file.name): digest_of(file) for file in files}
    table = next((file for file in files if file.name == "files.jsonl"), None)
    if table is not None and found["files.jsonl"] in signed:
        signed |= {row.sha256 for row in index.parse(table)}
    strange = [name for name, digest in found.items() if digest not in signed]
    details = {"checked": len(found), "strange": strange}
    if strange:
        more = f" And {len(strange) - 1} more." if len(strange) > 1 else ""
        sentence = f"«{strange[0]}» is not what was signed: changed, or not part of it.{more}"
        return Check(State.FAILED, sentence, details)
    sentence = (
        f"What you sent ({len(found)} of {count + 3} files) is exactly what was signed. "
        "The rest was not looked at."
    )
    return Check(State.WARNING, sentence, details)


def digest_of(file: "UploadedFile[bytes]") -> str:
    """Return the SHA-256 of a file that was sent, and wind it back."""
    sha256 = hashlib.sha256()
    for chunk in file.chunks():
        sha256.update(chunk)
    file.seek(0)
    return sha256.hexdigest()


def readable(moment: re.Match[str]) -> str:
    """Write a time of the verifier's sentences (RFC 3339) as people do."""
    return wording.minute(wording.moment(moment[0]))


def rows_of(report: Report) -> list[dict[str, str]]:
    """Return the vector as the component takes it."""
    return [
        {
            "name": WORDS[name][0],
            "state": STATES[check.state],
            "word": WORDS[name][1].get(check.state, "Not checked"),
            "detail": MOMENT.sub(readable, check.sentence),
        }
        for name, check in report.vector.items()
    ]


def describe(trust: Trust) -> str:
    """Say whose keys were used."""
    if trust.origin == settings.LOG_ORIGIN:
        return "The keys are this site's own, as it publishes them."
    return (
        "The keys came with what you sent, so they show only that nothing was damaged. "
        f"Get the keys of {trust.origin} from its own site and compare them."
    )
