"""Recipes: which steps a recording goes through, with which parameters, known by digest."""

from commonhold import canonical
from django.conf import settings

from ingestion.models import PipelineRun, Recipe, Recording

PAD_MS = 200
"""Forced alignment covers 94 % of words at this pad; less leaves syllables standing."""

INTAKE, FINAL = PipelineRun.Phase.INTAKE, PipelineRun.Phase.FINAL
STEPS = {
    (INTAKE, Recording.Kind.AUDIO): (
        "decode", "vad", "text", "detect", "redact", "strip", "quality"
    ),
    (INTAKE, Recording.Kind.DOCUMENT): ("text", "detect", "redact", "quality"),
    (FINAL, Recording.Kind.AUDIO): ("redact", "strip", "quality"),
    (FINAL, Recording.Kind.DOCUMENT): ("redact", "quality"),
}  # fmt: skip


def choose(*, recording: Recording, phase: str) -> Recipe:
    """Return the recipe for a recording in a phase, as the settings have it now."""
    names = STEPS[PipelineRun.Phase(phase), Recording.Kind(recording.kind)]
    steps = [{"name": name, "parameters": parameters(name)} for name in names]
    name = f"{'audio' if recording.kind == Recording.Kind.AUDIO else 'text'}-{phase}"
    sha256 = canonical.digest({"name": name, "steps": steps})
    recipe, _ = Recipe.objects.get_or_create(sha256=sha256, defaults={"name": name, "steps": steps})
    return recipe


def parameters(step: str) -> dict[str, object]:
    """Return the parameters of a step as the settings have them now."""
    match step:
        case "decode":
            return {"max_hours": settings.STEP_MAX_HOURS}
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
