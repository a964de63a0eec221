"""Recipes: which steps a file goes through, with which parameters, known by digest."""

from commonhold import canonical
from django.conf import settings

from ingestion.models import File, PipelineRun, Recipe

PAD_MS = 200
"""Forced alignment covers 94 % of words at this pad; less leaves syllables standing."""

AUDIO_INTAKE = ("decode", "vad", "text", "detect", "redact", "strip", "quality")
DOCUMENT_INTAKE = ("text", "detect", "redact", "quality")
AUDIO_FINAL = ("redact", "strip", "quality")
DOCUMENT_FINAL = ("redact", "quality")


def choose(*, file: File, phase: str) -> Recipe:
    """Return the recipe for a file in a phase, as the settings have it now."""
    audio = file.kind == File.Kind.AUDIO
    names: tuple[str, ...]
    if phase == PipelineRun.Phase.INTAKE:
        names = AUDIO_INTAKE if audio else DOCUMENT_INTAKE
    else:
        names = AUDIO_FINAL if audio else DOCUMENT_FINAL
    steps = [{"name": name, "parameters": parameters(name)} for name in names]
    name = f"{'audio' if audio else 'text'}-{phase}"
    sha256 = canonical.digest({"name": name, "steps": steps})
    recipe, _ = Recipe.objects.get_or_create(sha256=sha256, defaults={"name": name, "steps": steps})
    return recipe


def parameters(step: str) -> dict[str, object]:
    """Return the parameters of a step as the settings have them now."""
    match step:
        case "text" if settings.TRANSCRIPTION_ENGINE == "whisper":
            model = {"engine": "whisper", "checkpoint": settings.WHISPER_CHECKPOINT}
            model_id = settings.WHISPER_MODEL_ID
            return {**model, "model_id": model_id} if model_id else dict(model)
        case "text":
            return {"engine": settings.TRANSCRIPTION_ENGINE}
        case "redact":
            return {"pad_ms": PAD_MS, "method": "tone"}
        case _:
            return {}
