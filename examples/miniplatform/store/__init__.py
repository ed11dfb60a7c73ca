"""The platform's database: the event log, the views made from it, and the few tables that are neither."""
