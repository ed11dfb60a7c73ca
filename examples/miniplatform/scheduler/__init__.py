"""The scheduler: decides which instances there are and on which node, one pass after the other."""
