"""Who gets in: teachers' accounts, login and sessions."""
