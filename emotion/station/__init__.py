"""The child's page and its endpoints: a photograph to try, the camera in a lesson, one frame's way to the recorder."""
