"""What goes into a step and what comes out: the job file, the result file, the refusal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from commonhold.errors import CommonholdError
from commonhold.sentences import _

from ingestion.archive.formats.refusal import RefusedError

__all__ = [
    "InvalidJobError",
    "Job",
    "JsonObject",
    "RefusedError",
    "Result",
    "Tool",
    "primary_language",
]

JsonObject = dict[str, Any]

DEFAULT_MEMORY_MIB, DEFAULT_FILE_MIB, DEFAULT_CPU_SECONDS = 4096, 2048, 3600
DEFAULT_ISOLATION = ("landlock", "seccomp")
# ISO 639-3 codes that people write for languages which have a two-letter one (RFC 5646 §2.2.1).
SHORT_CODES = {
    "eng": "en",
    "swa": "sw",
    "swh": "sw",
    "swc": "sw",
    "spa": "es",
    "fra": "fr",
    "fre": "fr",
    "deu": "de",
    "ger": "de",
    "por": "pt",
    "som": "so",
    "lug": "lg",
    "nya": "ny",
    "sna": "sn",
    "zul": "zu",
    "xho": "xh",
    "kin": "rw",
    "run": "rn",
    "hau": "ha",
    "yor": "yo",
    "ind": "id",
    "msa": "ms",
    "tur": "tr",
}


def primary_language(tag: str) -> str:
    """Return a BCP 47 tag's first subtag, in its short form: "sw" of "swh-KE"."""
    first = tag.replace("_", "-").split("-")[0].lower()
    return SHORT_CODES.get(first, first)


class InvalidJobError(CommonholdError):
    """The job file itself is wrong: the caller's mistake."""

    code: ClassVar[str] = "invalid-job"
    status: ClassVar[int] = 500


@dataclass(frozen=True, slots=True)
class Tool:
    """What did the work, for the provenance record."""

    name: str
    version: str
    model_sha256: str | None = None

    def as_json(self) -> JsonObject:
        """Return `{"name", "version"}`, with `model_sha256` when a model was used."""
        pair = {"name": self.name, "version": self.version}
        return pair if self.model_sha256 is None else {**pair, "model_sha256": self.model_sha256}


@dataclass(frozen=True, slots=True)
class Job:
    """One step on one file. `inputs` are earlier steps' outputs, `input_files` their files.

    `name` and `transcript_name` are the contributor's own names of the two files; bytes are
    stored under their digest, so the paths say nothing. `devices` may be opened beside the files;
    `isolation` names the guards without which the step does not begin (steps.isolation).
    """

    step: str
    source: Path
    workdir: Path
    name: str
    media_type: str = ""
    language: str = ""
    transcript: Path | None = None
    transcript_name: str = ""
    inputs: Mapping[str, JsonObject] = field(default_factory=dict)
    input_files: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    parameters: JsonObject = field(default_factory=dict)
    memory_mib: int = DEFAULT_MEMORY_MIB
    file_mib: int = DEFAULT_FILE_MIB
    cpu_seconds: int = DEFAULT_CPU_SECONDS
    devices: tuple[Path, ...] = ()
    isolation: tuple[str, ...] = DEFAULT_ISOLATION

    @classmethod
    def from_json(cls, document: JsonObject) -> Self:
        """Read a job file's JSON object. Raises InvalidJobError naming the missing part."""
        try:
            source, workdir = Path(document["source"]), Path(document["workdir"])
            step = str(document["step"])
        except (KeyError, TypeError) as error:
            sentence = _("The job file lacks %(what)s: it needs step, source and workdir.")
            raise InvalidJobError(sentence, what=str(error)) from error
        transcript = document.get("transcript")
        return cls(
            step=step,
            source=source,
            workdir=workdir,
            name=str(document.get("name") or source.name),
            media_type=str(document.get("media_type") or ""),
            language=str(document.get("language") or ""),
            transcript=Path(transcript) if transcript else None,
            transcript_name=str(
                document.get("transcript_name") or (Path(transcript).name if transcript else "")
            ),
            inputs=dict(document.get("inputs") or {}),
            input_files={
                name: {relative: Path(path) for relative, path in files.items()}
                for name, files in (document.get("input_files") or {}).items()
            },
            parameters=dict(document.get("parameters") or {}),
            memory_mib=int(document.get("memory_mib", DEFAULT_MEMORY_MIB)),
            file_mib=int(document.get("file_mib", DEFAULT_FILE_MIB)),
            cpu_seconds=int(document.get("cpu_seconds", DEFAULT_CPU_SECONDS)),
            devices=tuple(Path(path) for path in document.get("devices", ())),
            isolation=tuple(document.get("isolation", DEFAULT_ISOLATION)),
        )

    @property
    def primary_language(self) -> str:
        """Return the language's first subtag, in its short form: "sw" of "swh-KE"."""
        return primary_language(self.language)

    def output_of(self, step: str) -> JsonObject:
        """Return an earlier step's output. Raises InvalidJobError when the caller left it out."""
        try:
            return self.inputs[step]
        except KeyError as error:
            sentence = _("The %(step)s step needs the output of the %(needed)s step.")
            raise InvalidJobError(sentence, step=self.step, needed=step) from error

    def file_of(self, step: str, relative: str) -> Path:
        """Return the path of an earlier step's file. Raises InvalidJobError when left out."""
        try:
            return self.input_files[step][relative]
        except KeyError as error:
            sentence = _("The %(step)s step needs %(path)s of the %(needed)s step.")
            raise InvalidJobError(sentence, step=self.step, path=relative, needed=step) from error


@dataclass(frozen=True, slots=True)
class Result:
    """What a step found: `output` is plain JSON, `files` are relative to the job's workdir."""

    output: JsonObject
    tool: Tool
    files: tuple[str, ...] = ()

    def as_json(self) -> JsonObject:
        """Return the result file's JSON object."""
        return {"output": self.output, "files": list(self.files), "tool": self.tool.as_json()}
