"""The live mode of Try it: a visitor's camera is answered several times a second, and nothing of it is kept."""
