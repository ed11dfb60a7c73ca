"""Instrumentation for a multi-tenant PaaS: declare a signal once, derive everything from it, prove it."""
