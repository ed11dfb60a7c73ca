"""The projector: turns the event log into the views."""
