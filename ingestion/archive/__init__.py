"""What lasts: datasets, versions, recordings, their bytes and how they arrive."""
