"""What steps must not touch."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def secret(tmp_path) -> Path:
    """A file of somebody else's, which this user may read and write."""
    path = tmp_path / "secret"
    path.write_bytes(b"kept")
    path.chmod(0o600)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path
