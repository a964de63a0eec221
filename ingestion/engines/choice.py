"""Which engine a recipe names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingestion.engines import openai_whisper, sphinx
from ingestion.engines.engine import Engine
from ingestion.steps.contract import InvalidJobError, RefusedError


def engine_for(parameters: Mapping[str, Any], *, language: str, name: str) -> Engine:
    """Return the engine that the parameters name; without a name the built-in one.

    Raises RefusedError `no-transcript` when the built-in engine doesn't know the language, and
    InvalidJobError for an engine or checkpoint that isn't there.
    """
    chosen = parameters.get("engine") or sphinx.NAME
    if chosen == openai_whisper.NAME:
        return openai_whisper.Whisper(checkpoint=Path(str(parameters.get("checkpoint", ""))))
    if chosen != sphinx.NAME:
        message = f"There is no engine {chosen!r}; the engines are pocketsphinx and whisper."
        raise InvalidJobError(message)
    if language != "en":
        message = (
            f"«{name}» has no transcript beside it, and the engine set up here hears only English. "
            "Upload a transcript of the same name (.txt, .csv or .jsonl), or ask the operator to "
            "set up an engine for this language."
        )
        raise RefusedError(message, reason="no-transcript")
    return sphinx.Sphinx()
