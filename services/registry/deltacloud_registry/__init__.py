"""The registry: who is alive, which providers there are."""
