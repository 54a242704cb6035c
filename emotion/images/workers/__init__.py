"""Processes beside the server, for work that may take too long, too much memory, or a library that stays for good."""
