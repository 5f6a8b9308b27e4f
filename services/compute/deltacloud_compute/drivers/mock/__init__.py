"""The mock cloud's compute side."""
