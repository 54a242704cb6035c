"""A copy of the database in a private data set of the Hub: for a Space, whose disk is empty after every restart.

Off unless `EMOTION_BACKUP_DATASET` names the data set. One file, replaced by each upload; the history of the data set
is squashed after it, so that no older revision shows a child that was erased meanwhile. The token is the one that
huggingface_hub finds (`HF_TOKEN`).
"""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError

from analytics.store.connection import names_of
from analytics.store.copies import back_up
from analytics.store.kept_copies import HUB_FOLDER
from analytics.store.lesson_store import LessonStore
from analytics.store.records import StoreError
from analytics.store.recovery import restore
from analytics.store.upkeep import HUB_ACTION

LOG = logging.getLogger(__name__)
FILE_NAME = "lessons.duckdb"
REPOSITORY_TYPE = "dataset"


class HubBackup:
    """``repository``: owner/name of a private data set. ``endpoint``: of the Hub, None for the usual one."""

    def __init__(self, repository: str, endpoint: str | None = None) -> None:
        self.repository = repository
        self._api = HfApi(endpoint=endpoint)

    def upload(self, store: LessonStore) -> None:
        """Replaces the copy by what is committed now. Raises `StoreError`: for a data set that everybody can read, for
        one whose copy is of another database, and where the Hub does not take it.
        """
        with self._explained():
            if self._api.repo_info(self.repository, repo_type=REPOSITORY_TYPE).private is not True:
                raise StoreError(
                    f"the data set {self.repository} is not private, and nothing was uploaded: make it private first"
                )
            known = any(entry.action == HUB_ACTION for entry in store.audit_entries())
            if not known and self._api.file_exists(self.repository, FILE_NAME, repo_type=REPOSITORY_TYPE):
                raise StoreError(
                    f"the data set {self.repository} holds a copy of another database, and nothing was uploaded: "
                    f"restore that one (python -m analytics.store.backup fetch {self.repository}), or delete "
                    f"{FILE_NAME} there"
                )
            if not known:
                store.audit(HUB_ACTION, "housekeeping", "copied to a private data set of the Hub from now on")
            with tempfile.TemporaryDirectory(prefix=HUB_FOLDER, dir=store.path.parent) as folder:
                with store.copying, store.database.cursor() as cursor:
                    copy = back_up(cursor, store.path, Path(folder))
                self._api.upload_file(
                    path_or_fileobj=copy,
                    path_in_repo=FILE_NAME,
                    repo_id=self.repository,
                    repo_type=REPOSITORY_TYPE,
                    commit_message="Replace the copy",
                )
            self._api.super_squash_history(
                self.repository, repo_type=REPOSITORY_TYPE, commit_message="The newest copy alone"
            )
        LOG.info("the copy on the Hub was replaced")

    def fetch(self, database: Path) -> Path | None:
        """Puts the copy in the place of ``database`` and returns where the file that was there is kept. Raises
        `StoreError`, and FileNotFoundError if there is no copy yet.
        """
        place = names_of(database)[0].parent
        place.mkdir(parents=True, exist_ok=True)
        with self._explained(), tempfile.TemporaryDirectory(prefix=HUB_FOLDER, dir=place) as folder:
            # Asked beforehand: a download that finds no network says "not found" as well.
            self._api.repo_info(self.repository, repo_type=REPOSITORY_TYPE)
            if not self._api.file_exists(self.repository, FILE_NAME, repo_type=REPOSITORY_TYPE):
                raise FileNotFoundError(f"the data set {self.repository} holds no copy")
            copy = self._api.hf_hub_download(self.repository, FILE_NAME, repo_type=REPOSITORY_TYPE, local_dir=folder)
            return restore(Path(copy), database)

    def fetch_if_missing(self, database: Path) -> None:
        """At the start of an app whose disk is empty. Raises `StoreError` if the Hub does not answer: an app that began
        with an empty file would record beside the copy.
        """
        if database.exists():
            return
        try:
            self.fetch(database)
            LOG.warning("the database was fetched from its copy on the Hub")
        except FileNotFoundError:
            LOG.warning("there is no copy on the Hub yet: starting with an empty database")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (StoreError, FileNotFoundError):
            raise
        except (HTTPError, OSError, ValueError) as error:
            raise StoreError(
                f"the data set {self.repository} could not be used ({type(error).__name__}): check its name "
                "(EMOTION_BACKUP_DATASET), the token (HF_TOKEN, which must be allowed to write) and the network"
            ) from error
