"""OpenAI's Whisper from a checkpoint file. Nothing is ever downloaded."""

import hashlib
import importlib
import pickle
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import soundfile
from commonhold.sentences import _

from ingestion.pipeline.contract import InvalidJobError, RefusedError
from ingestion.pipeline.engines.engine import DRAFT, REFERENCE, Window, packed
from ingestion.pipeline.transcripts import Segment, Transcript, Word

NAME = "whisper"
RATE = 16_000
LONGEST_MS = 30_000
# What loading raises for other files, other models' weights and pickles that would run something.
NOT_LOADED = (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, ValueError, EOFError)


class Whisper:
    """One checkpoint `{"dims", "model_state_dict"}`. Its grade is a draft unless a recipe vouches.

    Parameters: `checkpoint` (path), `model_id` (which published model it is; gives the alignment
    heads that a load by path loses), `grade` ("reference" when it was measured on this language),
    `device`, `beam_size`.
    """

    name = NAME
    grade = DRAFT

    def __init__(self, *, checkpoint: Path) -> None:
        if not checkpoint.is_file():
            sentence = _(
                "There is no Whisper checkpoint at %(checkpoint)s; name a .pt file by its path."
            )
            raise InvalidJobError(sentence, checkpoint=str(checkpoint))
        self.version = metadata.version("openai-whisper")
        self._checkpoint = checkpoint
        with checkpoint.open("rb") as stream:
            self.model_sha256: str | None = hashlib.file_digest(stream, "sha256").hexdigest()

    def transcribe(
        self,
        analysis: Path,
        *,
        language: str,
        windows: Sequence[Window],
        parameters: Mapping[str, Any],
    ) -> Transcript:
        """Return what Whisper hears in windows packed to at most 30 s, with times per word.

        Raises RefusedError for a language that Whisper has no token for.
        """
        model = self._model(language, parameters)
        segments: list[Segment] = []
        for start, end in packed(windows, longest_ms=LONGEST_MS):
            audio, _ = soundfile.read(
                analysis, start=start * RATE // 1000, stop=end * RATE // 1000, dtype="float32"
            )
            heard = model.transcribe(
                audio,
                language=language,
                word_timestamps=True,
                condition_on_previous_text=False,
                temperature=0.0,
                beam_size=parameters.get("beam_size"),
                fp16=model.device.type == "cuda",
            )
            segments.extend(
                found
                for part in heard["segments"]
                if (found := _segment(part, start, end)) is not None
            )
        grade = REFERENCE if parameters.get("grade") == REFERENCE else DRAFT
        return Transcript(tuple(segments), grade, NAME, self.version, self.model_sha256)

    def _model(self, language: str, parameters: Mapping[str, Any]) -> Any:
        # Loaded here so that aligning a transcript doesn't pay for torch.
        whisper = importlib.import_module("whisper")
        tokenizer = importlib.import_module("whisper.tokenizer")
        if language not in tokenizer.LANGUAGES:
            sentence = _(
                "Whisper does not know the language '%(language)s'. "
                "Upload a transcript of the same name (.txt, .csv, .jsonl, .srt or .vtt)."
            )
            raise RefusedError(sentence, reason="no-transcript", language=language)
        try:
            model = whisper.load_model(str(self._checkpoint), device=parameters.get("device"))
        except NOT_LOADED as error:
            first = (str(error).splitlines() or [""])[0]
            sentence = _(
                "%(checkpoint)s is not a Whisper checkpoint that can be loaded here (%(fault)s). "
                "Name a .pt file that holds dims and model_state_dict."
            )
            fault = f"{type(error).__name__}: {first}"
            checkpoint = str(self._checkpoint)
            raise InvalidJobError(sentence, checkpoint=checkpoint, fault=fault) from error
        model_id = parameters.get("model_id")
        if model_id:
            model.set_alignment_heads(_alignment_heads(whisper, str(model_id)))
        return model


def _alignment_heads(whisper: Any, model_id: str) -> bytes:
    heads: Mapping[str, bytes] = whisper._ALIGNMENT_HEADS  # noqa: SLF001 (its only place)
    if model_id not in heads:
        sentence = _("'%(model)s' is not a published Whisper model; alignment heads are unknown.")
        raise InvalidJobError(sentence, model=model_id)
    return heads[model_id]


def _segment(part: Mapping[str, Any], start: int, end: int) -> Segment | None:
    """Turn Whisper's segment (s, relative to the window) into ours (ms in the recording)."""
    words: list[Word] = []
    text = ""
    for item in part.get("words", ()):
        said = str(item["word"])
        text += said if text else said.lstrip()
        bare = said.strip()
        if not any(char.isalnum() for char in bare):
            continue
        last = len(text.rstrip())
        first_ms = min(end - 1, start + round(1000 * float(item["start"])))
        words.append(
            Word(
                text=bare,
                start_char=last - len(bare),
                end_char=last,
                start_ms=first_ms,
                end_ms=max(first_ms + 1, min(end, start + round(1000 * float(item["end"])))),
                timed=True,
                confidence=round(1000 * min(1.0, max(0.0, float(item["probability"])))),
            )
        )
    if not words:
        return None
    return Segment(text.rstrip(), tuple(words), words[0].start_ms, words[-1].end_ms)
