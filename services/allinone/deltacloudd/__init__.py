"""All of Deltacloud in one process."""
