"""What every way in over HTTP shares: links, ranges, problems, acting."""
