"""One module for each figure; each has ``measure(bench)``, which returns a Figure."""
