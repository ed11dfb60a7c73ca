"""Workloads to deploy on the miniplatform, each with its manifest beside it. They know nothing of obslib."""
