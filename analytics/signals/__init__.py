"""From probabilities to support signals: smoothing, episodes, a resting level, a hidden Markov filter."""
