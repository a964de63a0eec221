"""How long a test has been computing, whatever else the machine does."""

import time
from collections.abc import Callable

import pytest


@pytest.fixture
def process_seconds() -> Callable[[], float]:
    """CPU seconds since the test began."""
    began = time.process_time()
    return lambda: time.process_time() - began
