"""How it runs: the database, the queues, the processes. Knows nothing of what it sells."""
