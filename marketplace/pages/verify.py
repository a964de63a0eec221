"""Verifying in public: papers in, a vector out. Works for anybody, and keeps nothing."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from commonhold import index, manifest, sigstore
from commonhold.errors import CommonholdError
from commonhold.manifest import PROOFS
from commonhold.report import Check, Report, State
from commonhold.rowcheck import check_rows
from commonhold.sentences import Sentence, _, n_
from commonhold.signing import parse_envelope
from commonhold.trust import read_trusted_root
from commonhold.verify import Documents, TargetError, verify_documents
from commonhold.vouching import Source, Vouched, fingerprint
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from marketplace.http import bodies
from marketplace.http.statuses import status_list
from marketplace.http.telling import tell, tell_sentence
from marketplace.templatetags import wording
from notary import instance, keys

TEMPLATE = "pages/verify/show.html"
MAX_PAPER = 1024 * 1024
MAX_FILES = 100
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
STATES = {
    State.OK: "done",
    State.WARNING: "active",
    State.FAILED: "refused",
    State.UNKNOWN: "waiting",
}
WORDS: dict[str, tuple[Promise, dict[State, Promise]]] = {
    "signature": (
        gettext_lazy("Signature"),
        {
            State.OK: gettext_lazy("Genuine"),
            State.FAILED: gettext_lazy("Not genuine"),
            State.UNKNOWN: gettext_lazy("Unknown keys"),
        },
    ),
    "logged": (
        gettext_lazy("Log"),
        {State.OK: gettext_lazy("In the public log"), State.FAILED: gettext_lazy("Not proven")},
    ),
    "files": (
        gettext_lazy("Files"),
        {
            State.OK: gettext_lazy("Unchanged"),
            State.FAILED: gettext_lazy("Changed"),
            State.WARNING: gettext_lazy("Partly checked"),
        },
    ),
    "license": (
        gettext_lazy("License"),
        {State.OK: gettext_lazy("In force"), State.FAILED: gettext_lazy("Not in force")},
    ),
    "consent": (
        gettext_lazy("Consent"),
        {
            State.OK: gettext_lazy("Stands"),
            State.FAILED: gettext_lazy("Does not stand"),
            State.WARNING: gettext_lazy("Not fresh"),
        },
    ),
}


# Nothing is changed by it and nobody needs to be logged in: there is no request to forge.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Show the form, or what was found in the papers that came with it."""
    context: dict[str, Any] = {"max_mib": bodies.PAPERS // bodies.MIB, "papers": PROOFS}
    if request.method != "POST":
        return render(request, TEMPLATE, context)
    try:
        report, names, trust = check(request)
    except CommonholdError as error:
        return render(request, TEMPLATE, context | {"refusal": tell(error)}, status=error.status)
    context |= {"report": report, "rows": rows_of(report), "names": names, "trust": trust}
    context["unvouched"] = report.trust.state is State.UNKNOWN
    return render(request, TEMPLATE, context)


def check(request: HttpRequest) -> tuple[Report, list[str], str]:
    """Verify what was sent: the vector, the files' names, and whose keys were used.

    Raises TargetError.
    """
    files = request.FILES.getlist("files")[:MAX_FILES]
    if not files:
        raise TargetError(
            _("Choose a manifest first: manifest.sigstore.json or manifest.dsse.json.")
        )
    papers, others = sort(files)
    documents = Documents.of(papers)
    settled = keys_for(documents)
    report = verify_documents(
        documents,
        trust=settled,
        fetch=status_list,
        files=lambda statement, _trust, _withdrawn: check_sent(statement, others),
    )
    return report, [str(file.name) for file in files], describe(settled)


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


def keys_for(documents: Documents) -> Vouched:
    """Return whose keys count: this site's, or for another site's manifest those that came along.

    For the latter nobody vouches, so nothing that they signed reads as fine.
    """
    ours = Vouched(read_trusted_root(keys.trusted_root()), Source.OWN)
    if documents.trusted_root is None or origin_of(documents) in {"", instance.log_origin()}:
        return ours
    try:
        return Vouched(read_trusted_root(documents.trusted_root), Source.NOBODY)
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
        sentence = _("Not checked: only the papers were given, without the files they speak of.")
        return Check(State.UNKNOWN, sentence)
    signed = {str(one["digest"]["sha256"]) for one in statement["subject"]}
    count = int(statement["predicate"]["release"]["files"]["count"])
    found = {str(file.name): digest_of(file) for file in files}
    table = next((file for file in files if file.name == "files.jsonl"), None)
    if table is not None and found["files.jsonl"] in signed:
        release = statement["predicate"]["release"]
        try:
            signed |= {row.sha256 for row in check_rows(index.parse(table), release)}
        except CommonholdError as error:
            return Check(State.FAILED, error.said, {"code": error.code})
    strange = [name for name, digest in found.items() if digest not in signed]
    details = {"checked": len(found), "strange": strange}
    if strange:
        words = {"path": strange[0], "more": len(strange) - 1}
        return Check(State.FAILED, not_signed(len(strange) - 1), details, words)
    sentence = _(
        "What you sent (%(checked)s of %(count)s files) is exactly what was signed. "
        "The rest was not looked at."
    )
    return Check(State.WARNING, sentence, details, {"count": count + 3})


def not_signed(more: int) -> Sentence:
    """Say that a file is not what was signed, and how many others are not."""
    if not more:
        return _("«%(path)s» is not what was signed: changed, or not part of it.")
    return n_(
        "«%(path)s» is not what was signed: changed, or not part of it. And %(more)s more.",
        "«%(path)s» is not what was signed: changed, or not part of it. And %(more)s more.",
        more,
    )


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
            "name": str(WORDS[name][0]),
            "state": STATES[check.state],
            "word": str(WORDS[name][1].get(check.state, gettext("Not checked"))),
            "detail": MOMENT.sub(readable, tell_sentence(check.said, check.parameters)),
        }
        for name, check in report.vector.items()
    ]


def describe(settled: Vouched) -> str:
    """Say whose keys were used."""
    if settled.counts:
        told = gettext(
            "The keys are this site's own, as it publishes them. Root key: %(fingerprint)s."
        )
        return told % {"fingerprint": fingerprint(settled.trust)}
    told = gettext(
        "Nobody vouched for these keys: they came with what you sent, so anybody may have made all "
        "of it. Verify it at %(origin)s, or get its keys another way and use «commonhold verify»."
    )
    return told % {"origin": settled.trust.origin}
