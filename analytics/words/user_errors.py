"""Errors that a user or a calling program can mend, worded in the reader's language."""

from analytics.words.texts import say


class UserError(Exception):
    """``key``: of the text in `analytics.words.texts` that says cause and remedy; ``values``: what is put into it."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(say("en", key, **values))
        self.key, self.values = key, values

    def text(self, language: str) -> str:
        """Cause and remedy in ``language``."""
        return say(language, self.key, **self.values)
