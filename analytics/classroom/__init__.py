"""Who takes part and what is recorded: codes, pseudonyms, consent, and the clock that dates a row."""
