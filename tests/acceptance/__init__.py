"""Black-box tests: the command line as a process, a foreign server, and an oracle that knows what must happen."""
