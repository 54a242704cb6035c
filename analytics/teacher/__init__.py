"""The teacher's page: its tabs, endpoints, board, reports and exports."""
