"""Programs the figures start beside our services: the other side of a comparison, each a process of its own."""
