"""From pixels to probabilities: faces, the packaged network, and the station page."""
