"""Trains, evaluates and packages the classifier; its commands run as ``python -m emotion.training.<name>``."""
