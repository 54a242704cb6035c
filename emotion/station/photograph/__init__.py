"""The photograph of Try it: chosen, dropped, pasted or taken with the camera; read in memory and kept nowhere."""
