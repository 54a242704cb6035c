"""Figures, drawings and tables: pure functions from insight to Plotly, SVG and data frames."""
