"""A Whisper that nobody trained."""

import pytest
import torch
from whisper.model import ModelDimensions, Whisper


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A two-layer multilingual Whisper that nobody trained."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    dims = ModelDimensions(
        n_mels=80,
        n_audio_ctx=1500,
        n_audio_state=32,
        n_audio_head=2,
        n_audio_layer=1,
        n_vocab=51_865,
        n_text_ctx=64,
        n_text_state=32,
        n_text_head=2,
        n_text_layer=2,
    )
    model = Whisper(dims)
    torch.nn.init.normal_(model.decoder.positional_embedding, std=0.1)
    path = tmp_path_factory.mktemp("whisper") / "tiny-random.pt"
    torch.save({"dims": dims.__dict__, "model_state_dict": model.state_dict()}, path)
    return path
