"""The station for programs: plain routes under /api/v1/station/, for whoever has a lesson's and a child's code."""
