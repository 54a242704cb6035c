"""A caller's mistake, told in the caller's language: what was wrong and what would do."""

from analytics.words.texts import say


class UserError(Exception):
    """A caller's mistake: a key of `analytics.words.texts` (cause and remedy) and its values."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(say("en", key, **values))
        self.key, self.values = key, values

    def text(self, language: str) -> str:
        """Cause and remedy in ``language``."""
        return say(language, self.key, **self.values)
