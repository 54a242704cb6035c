"""The tabs of the teacher's page, one module each."""
