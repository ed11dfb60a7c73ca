"""The ``platform`` command: how operators and tenants ask what is desired, what runs, what routes to what, and why not.

It speaks to the control plane's HTTP API and holds no state but a saved context. Standard output carries
the answer and nothing else; progress, notes and errors for people go to standard error.
"""
