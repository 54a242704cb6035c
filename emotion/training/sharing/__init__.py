"""Hands a checkpoint on: to the Hugging Face Hub, or as ONNX; its commands run as
``python -m emotion.training.sharing.<name>``."""
