"""From probabilities to support signals: smoothing, episodes, a baseline, a hidden Markov filter."""
