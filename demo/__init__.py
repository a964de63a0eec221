"""Demo data: three small datasets of synthesized speech, walked through the real services."""
