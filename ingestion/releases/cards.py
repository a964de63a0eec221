"""The descriptions that travel with a release: README.md, metadata.jsonl and croissant.json.

Croissant 1.1; the JSON is written here and only validated with mlcroissant, which loses parts of a
document that it reads and writes. The context uses https://schema.org, as that library insists.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from commonhold import canonical
from commonhold.index import IndexRow
from django.conf import settings
from django.utils.timezone import now

from ingestion.models import Version
from ingestion.releases.scrubbing import kind_name

TASK_CATEGORIES = {
    "speech-recognition": "automatic-speech-recognition",
    "speech-synthesis": "text-to-speech",
    "language-modeling": "text-generation",
}
MARKS = re.compile(r"[\\`*_{}\[\]<>#&!|~]")
MAX_FILE_OBJECTS = 1000
JSON_LINES = "application/jsonlines"
"""Croissant's own name for JSON Lines; mlcroissant reads no other."""
MAINTENANCE = "Withdrawals stand in the status lists that the manifest names for each consent."
COLLECTION = "Recordings uploaded by their publisher, with a consent record per speaker."
FIELDS = {
    "file_name": "sc:Text",
    "text": "sc:Text",
    "language": "sc:Text",
    "speaker": "sc:Text",
    "start_ms": "sc:Integer",
    "end_ms": "sc:Integer",
    "duration_ms": "sc:Integer",
    "source": "sc:Text",
}
LISTS = {
    "words": {"word": "sc:Text", "start_ms": "sc:Integer", "end_ms": "sc:Integer"},
    "redactions": {"start_ms": "sc:Integer", "end_ms": "sc:Integer", "label": "sc:Text"},
}
"""Columns of which each value is a list of objects."""
TERMS = (
    "annotation", "arrayShape", "citeAs", "column", "conformsTo", "containedIn", "data", "dataType",
    "equivalentProperty", "examples", "excludes", "extract", "field", "fileProperty", "fileObject",
    "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5",
    "parentField", "path", "recordSet", "references", "regex", "readLines", "repeated", "replace",
    "samplingRate", "sdVersion", "separator", "source", "subField", "transform", "unArchive",
    "value",
)  # fmt: skip


def metadata(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return metadata.jsonl: one canonical JSON line per clip (AudioFolder layout)."""
    return b"".join(canonical.encode(row) + b"\n" for row in rows)


CARD = """\
---
pretty_name: {pretty_name}
language: [{language}]
task_categories: [{task}]
license: other
license_name: see-LICENSE.txt
license_link: LICENSE.txt
configs:
- config_name: default
  data_files: [metadata.jsonl, audio/**]
---

# {title}
{description}{card}
Version {number}, published by {publisher}.

- {clips} clips, {minutes} min {seconds:02d} s of speech
- {speakers} speakers, each with recorded consent
- {redactions} stretches with personal data replaced by a tone, and by a label in the text
{unwritten}- {heard} of it played by a person in the review, {unheard} not
{scrubbing}
`metadata.jsonl` has one row per clip. Its `start_ms` and `end_ms` are milliseconds in the recording
that the clip was cut from. `words` and `redactions` have theirs in the clip: `words` are those of
`text` in their order, each removed stretch as its label, and with null where no time was found.

What you may do stands in `LICENSE.txt`, which binds. Who published this, on whose consent and made
how stands in `manifest.dsse.json`. Check it all, offline:

```sh
commonhold verify . --offline
```
"""

UNWRITTEN = "- {count} stretches replaced by a tone where somebody speaks and no text says what\n"


def readme(*, version: Version, counts: dict[str, Any]) -> bytes:
    """Return the dataset card, with the front matter that `load_dataset` reads."""
    dataset = version.dataset
    minutes, seconds = divmod(counts["clips_ms"] // 1000, 60)
    return CARD.format(
        pretty_name=json.dumps(dataset.title, ensure_ascii=False),
        language=json.dumps(dataset.language),
        task=TASK_CATEGORIES[dataset.task],
        title=plain(dataset.title),
        description=f"\n{dataset.description}\n" if dataset.description else "",
        card=f"\n{dataset.card}\n" if dataset.card else "",
        number=version.number,
        publisher=plain(dataset.organization.name),
        minutes=minutes,
        seconds=seconds,
        heard=clock(counts["heard_ms"]),
        unheard=clock(counts["unheard_ms"]),
        unwritten=UNWRITTEN.format(count=counts["unwritten"]) if counts["unwritten"] else "",
        scrubbing="".join(map(looked_for, counts["scrubbing"])),
        **{name: counts[name] for name in ("clips", "speakers", "redactions")},
    ).encode()


def plain(name: str) -> str:
    """Return a name so that Markdown reads nothing into it (CommonMark section 2.4)."""
    return MARKS.sub(r"\\\g<0>", name)


def looked_for(row: dict[str, Any]) -> str:
    """Say of a language which personal data was looked for in its texts, and which was not."""
    written, spoken, missing = (
        ", ".join(map(kind_name, row[name])) or "nothing"
        for name in ("lookedFor", "lookedForSpoken", "notLookedFor")
    )
    return (
        f"- Personal data in {row['language']}: rules looked for {written}; said aloud, in words, "
        f"for {spoken}. **Not looked for: {missing}.** What was not looked for may be in it.\n"
    )


def clock(milliseconds: int) -> str:
    """Write a length as minutes and seconds."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes} min {seconds:02d} s"


def croissant(*, version: Version, rows: Sequence[IndexRow], index: bytes) -> bytes:
    """Return croissant.json (Croissant 1.1, PROV and RAI terms), deterministic but for the date."""
    dataset = version.dataset
    metadata_row = next(row for row in rows if row.path == "metadata.jsonl")
    document: dict[str, Any] = {
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": f"{dataset.organization.slug}-{dataset.slug}",
        "alternateName": dataset.title,
        "description": dataset.description or dataset.title,
        "url": f"{settings.SITE_URL}/d/{dataset}",
        "license": f"{settings.SITE_URL}/d/{dataset}#licenses",
        "version": f"{version.number}.0.0",
        "datePublished": now().date().isoformat(),
        "inLanguage": dataset.language,
        "creator": {"@type": "sc:Organization", "name": dataset.organization.name},
        "publisher": {"@type": "sc:Organization", "name": dataset.organization.name},
        "citeAs": citation(version),
        "rai:dataCollection": COLLECTION,
        "rai:personalSensitiveInformation": ["Voice"],
        "rai:dataReleaseMaintenancePlan": MAINTENANCE,
        "distribution": distribution(rows=rows, index=index, metadata_row=metadata_row),
        "recordSet": record_sets(rows),
    }
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=False).encode() + b"\n"


def citation(version: Version) -> str:
    """Say how to name the dataset."""
    dataset = version.dataset
    where = f"{settings.SITE_URL}/d/{dataset}"
    return f"{dataset.organization.name}: {dataset.title}, version {version.number}. {where}"


def context() -> dict[str, Any]:
    """Return the JSON-LD context of Croissant 1.1."""
    terms: dict[str, Any] = {term: f"cr:{term}" for term in TERMS}
    terms["conformsTo"] = "dct:conformsTo"
    terms["data"] = {"@id": "cr:data", "@type": "@json"}
    terms["examples"] = {"@id": "cr:examples", "@type": "@json"}
    terms["dataType"] = {"@id": "cr:dataType", "@type": "@vocab"}
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "prov": "http://www.w3.org/ns/prov#",
        **terms,
    }


def distribution(
    *, rows: Sequence[IndexRow], index: bytes, metadata_row: IndexRow
) -> list[dict[str, Any]]:
    """Describe the files: index, metadata, and each clip while there are not too many."""
    objects = [
        file_object("files.jsonl", JSON_LINES, canonical.sha256_hex(index), len(index)),
        file_object("metadata.jsonl", JSON_LINES, metadata_row.sha256, metadata_row.size),
    ]
    rest = [row for row in rows if row.path not in {"README.md", "metadata.jsonl"}]
    if len(rest) <= MAX_FILE_OBJECTS:
        objects += [
            file_object(row.path, encoding_format(row), row.sha256, row.size) for row in rest
        ]
    return objects


def encoding_format(row: IndexRow) -> str:
    """Return a file's media type in Croissant's words."""
    return JSON_LINES if row.path.endswith(".jsonl") else row.media_type


def file_object(path: str, media_type: str, sha256: str, size: int) -> dict[str, Any]:
    """Describe one file."""
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "contentSize": f"{size} B",
        "encodingFormat": media_type,
        "sha256": sha256,
    }


def record_sets(rows: Sequence[IndexRow]) -> list[dict[str, Any]]:
    """Describe the rows of metadata.jsonl; a release of text alone has none."""
    if not any(row.path.startswith("audio/") for row in rows):
        return []
    fields = [
        field(name, dataType=data_type, **extract(name)) for name, data_type in FIELDS.items()
    ]
    for column, parts in LISTS.items():
        inside = [
            field(f"{column}/{name}", dataType=data_type, repeated=True, **extract(column, name))
            for name, data_type in parts.items()
        ]
        fields.append(field(column, repeated=True, subField=inside))
    return [{"@type": "cr:RecordSet", "@id": "clips", "name": "clips", "field": fields}]


def field(name: str, **facts: object) -> dict[str, object]:
    """Describe a column of metadata.jsonl, or a part of one."""
    return {"@type": "cr:Field", "@id": f"clips/{name}", "name": name, **facts}


def extract(column: str, part: str = "") -> dict[str, Any]:
    """Say where a field is read from: a column, or one part of each object in its lists."""
    source = {"fileObject": {"@id": "metadata.jsonl"}, "extract": {"column": column}}
    return {"source": source | ({"transform": {"jsonPath": part}} if part else {})}
