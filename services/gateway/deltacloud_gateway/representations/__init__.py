"""How records and errors are written down: XML, JSON and HTML from one description each."""
