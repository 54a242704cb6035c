"""From probabilities to insight: the lesson store, timelines, support signals, and the teacher page."""
