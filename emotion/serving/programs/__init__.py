"""The plain interface for programs under /api/v1/: its frame, what every answer carries, streams, its description."""
