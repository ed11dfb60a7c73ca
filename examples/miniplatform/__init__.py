"""A small but real platform, instrumented through obslib: the first thing to read to see how a component uses it."""
