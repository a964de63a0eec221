"""The contributor's area: from an empty dataset to a sealed version with a price."""
