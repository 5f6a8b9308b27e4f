"""A third party's driver, as small as one can be."""
