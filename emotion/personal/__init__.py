"""A head of the network that is fitted to one child."""
