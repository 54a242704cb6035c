"""What a training run tells while it goes on: its files, and the dashboards that are installed."""
