"""The lessons on disk: one DuckDB file, one thread that writes it, backups, retention and erasure."""
