"""Train, evaluate and package the classifier; every module runs as ``python -m emotion.training.<name>``."""
