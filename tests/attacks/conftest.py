"""One app with a class of thirty in lesson for each module of attacks."""

from collections.abc import Iterator

import pytest

from tests.attack_target import Target
from tests.class_in_lesson import attacked_app


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with attacked_app(tmp_path_factory.mktemp("attacked")) as running:
        yield running
        assert "Traceback" not in running.log_text()
