"""One package a cloud, the same file names in each."""
