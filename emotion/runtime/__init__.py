"""Computes the network: torch or OpenVINO behind one protocol, and batches shared by many callers."""
