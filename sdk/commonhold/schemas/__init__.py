"""JSON Schemas of the documents that Commonhold signs."""
