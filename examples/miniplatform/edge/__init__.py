"""The edge: carries TCP connections from the outside to the instances behind a route."""
