"""A table made ready: rows in memory, in blocks, or none; the stream of generations; what to warn of."""
