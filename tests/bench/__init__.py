"""Our cost as a ratio to a well-known peer, measured in one run: ``make bench [ROWS=P1,P7] [OUT=FILE]``."""
