"""Which engine a recipe names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from commonhold.sentences import _

from ingestion.pipeline.contract import InvalidJobError, RefusedError
from ingestion.pipeline.engines import openai_whisper, sphinx
from ingestion.pipeline.engines.engine import Engine


def engine_for(parameters: Mapping[str, Any], *, language: str, name: str) -> Engine:
    """Return the engine that the parameters name; without a name the built-in one.

    Raises RefusedError `no-transcript` when the built-in engine doesn't know the language, and
    InvalidJobError for an engine or checkpoint that isn't there.
    """
    chosen = parameters.get("engine") or sphinx.NAME
    if chosen == openai_whisper.NAME:
        return openai_whisper.Whisper(checkpoint=Path(str(parameters.get("checkpoint", ""))))
    if chosen != sphinx.NAME:
        sentence = _("There is no engine '%(engine)s'; the engines are pocketsphinx and whisper.")
        raise InvalidJobError(sentence, engine=str(chosen))
    if language != "en":
        sentence = _(
            "«%(path)s» has no transcript beside it, and the engine set up here hears only "
            "English. Upload a transcript of the same name (.txt, .csv, .jsonl, .srt or .vtt), or "
            "ask the operator to set up an engine for this language."
        )
        raise RefusedError(sentence, reason="no-transcript", path=name)
    return sphinx.Sphinx()
