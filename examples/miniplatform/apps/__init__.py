"""Workloads to deploy on the miniplatform: one that serves, one that crashes. They know nothing of obslib."""
