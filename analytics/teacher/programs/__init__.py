"""The teacher's half of the interface for programs, under /api/v1/, over the same handlers as the named endpoints."""
