"""The server-rendered pages, a module per area."""
