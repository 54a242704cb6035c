"""Finds the faces of a picture, straightens them, and judges how well each can be read."""
