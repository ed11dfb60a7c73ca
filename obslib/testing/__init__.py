"""What a test of an instrumented component needs: still time, counted ids, and everything emitted as values."""
