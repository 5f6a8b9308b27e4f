"""Providers: the picture of them, and the policy by which their addresses may be reached."""
