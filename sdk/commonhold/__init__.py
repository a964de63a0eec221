"""Commonhold's record format, its proofs, and the client. Pure Python, no Django."""

__version__ = "0.1.0"
