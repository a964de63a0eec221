"""What is shown, as plain data: the same for pages, API and every other door."""
