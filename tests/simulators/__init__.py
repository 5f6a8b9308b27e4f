"""Wire-level simulators of clouds: each is a program of its own that speaks a cloud's protocol strictly."""
