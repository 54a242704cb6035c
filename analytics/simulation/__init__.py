"""Made-up children and lessons: to measure the signals, and for the sample that every page can show."""
