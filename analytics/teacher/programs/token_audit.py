"""Writes down in the audit trail which tokens of servers there are, and which were revoked."""

import logging
from collections.abc import Mapping

from analytics.access.tokens import Token, described
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError

LOG = logging.getLogger(__name__)
MADE, REVOKED, ACTOR = "token_made", "token_revoked", "accounts"


def audit_tokens(store: LessonStore, tokens: Mapping[str, Token]) -> None:
    """Adds what the trail does not have yet: the command that makes tokens can't write it while the app runs."""
    try:
        written = {(entry.action, entry.detail) for entry in store.audit_entries()}
        for name, token in tokens.items():
            entry = (REVOKED if token.revoked else MADE, f"{name}: {described(token)}")
            if entry not in written:
                store.audit(entry[0], ACTOR, entry[1])
    except StoreError as error:  # a full disk keeps nobody from revoking; it is written at the next change or start
        LOG.error("the tokens could not be written into the audit trail: %s", error)
