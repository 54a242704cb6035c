"""The game "show me a face", in which a child teaches the system its own face."""
