"""The control plane: the API through which everything enters the event log and everything is read back."""
