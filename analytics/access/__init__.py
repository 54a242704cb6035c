"""Who gets in, and what must stay whole and private for that: accounts, login and sessions, the files they lie in."""
