"""Step 6: nothing but samples leaves. The clips' FLAC files keep STREAMINFO and nothing else."""

from pathlib import Path

from commonhold.sentences import _

from ingestion.pipeline.contract import Job, RefusedError, Result, Tool
from ingestion.pipeline.steps import flac

VERSION = "1"


def run(job: Job) -> Result:
    """Rewrite the redact step's clips with STREAMINFO as their only metadata block.

    `removed` counts what the source carried (its clips are made of samples alone) and `blocks` what
    was taken off the clips. Raises RefusedError `metadata-left` when anything else remains.
    """
    decoded = job.output_of("decode")
    (job.workdir / "clips").mkdir(exist_ok=True)
    clips = []
    taken = 0
    for clip in job.output_of("redact")["clips"]:
        source = job.file_of("redact", clip["file"])
        target = job.workdir / str(clip["file"])
        stream = source.read_bytes()
        taken += len(flac.blocks(stream)[0]) - 1
        target.write_bytes(flac.bare(stream))
        _check(target, job.name)
        clips.append({"file": clip["file"], "bytes": target.stat().st_size})
    output = {
        "removed": {kind: int(decoded[kind]) for kind in ("tags", "pictures", "chapters")},
        "blocks": taken,
        "clips": clips,
    }
    files = tuple(clip["file"] for clip in clips)
    return Result(output, Tool("commonhold-strip", VERSION), files)


def _check(path: Path, name: str) -> None:
    left = [kind for kind in flac.block_types(path) if kind != flac.STREAMINFO]
    if left:
        names = ", ".join(flac.BLOCK_NAMES.get(kind, str(kind)) for kind in left)
        sentence = _("A clip of «%(path)s» still carries %(names)s. Nothing of it was published.")
        raise RefusedError(sentence, reason="metadata-left", path=name, names=names)
