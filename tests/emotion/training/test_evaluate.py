"""The evaluation of a checkpoint: what it reports, of whom, and where it is written."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotion.labels import Emotion
from emotion.network.checkpoint import PACKAGED_CHECKPOINT, load_checkpoint
from emotion.training.data import DataError, FaceDataset
from emotion.training.evaluate import evaluate, load_dataset, metrics_by_group, nan_to_none, summary
from emotion.training.report import confusion_figure, most_confident_mistakes, report_page
from emotion.training.robustness import PERTURBATIONS

ROOT = Path(__file__).parents[3]


class BrightnessRuntime:
    """Answers with the class whose number is the brightness of the crop's first pixel over 25."""

    name = "brightness"

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        answers = np.minimum(crops[:, 0, 0, 0] // 25, 7)
        return (0.86 * np.eye(8)[answers] + 0.02 * (1 - np.eye(8)[answers])).astype(np.float32)


def faces_of(labels: list[int], answers: list[int], children: list[bool] | None = None) -> FaceDataset:
    images = np.zeros((len(labels), 48, 48, 1), np.uint8)
    images[:] = 25 * np.array(answers).reshape(-1, 1, 1, 1)
    names = np.array([f"{number}.png" for number in range(len(labels))])
    majority = np.arange(len(labels)) % 2 == 0
    targets = np.eye(8, dtype=np.float32)[labels]
    return FaceDataset(images, targets, majority, names, np.array(children) if children else None)


FACES = faces_of([0, 1, 2, 3, 4, 5, 6, 7, 5, 5], [0, 1, 2, 3, 4, 5, 6, 7, 7, 5], [True] * 4 + [False] * 6)


@pytest.fixture(scope="module")
def result() -> dict:
    return nan_to_none(evaluate(load_checkpoint(), BrightnessRuntime(), FACES, thorough=True)[0])


def test_the_matrix_and_the_figures_agree(result: dict) -> None:
    assert result["confusion"][Emotion.HAPPY] == [0, 0, 0, 0, 0, 2, 0, 1]
    whole = result["plurality"]["all"]
    assert whole["accuracy"]["value"] == pytest.approx(0.9)
    assert whole["accuracy"]["low"] < 0.9 <= whole["accuracy"]["high"]
    assert whole["classes"]["happy"]["recall"] == pytest.approx(2 / 3, abs=1e-6)
    assert whole["classes"]["happy"]["support"] == 3
    assert whole["classes"]["neutral"]["precision"] == 0.5


def test_children_stand_beside_the_others_under_both_protocols(result: dict) -> None:
    for protocol, counts in (("plurality", (10, 4, 6)), ("majority", (5, 2, 3))):
        assert tuple(result[protocol][name]["faces"] for name in ("all", "children", "others")) == counts
    assert result["plurality"]["children"]["accuracy"]["value"] == 1.0


def test_a_thorough_evaluation_adds_the_mirror_image_and_robustness(result: dict) -> None:
    assert result["with_mirror_image"]["plurality"]["all"]["accuracy"]["value"] == pytest.approx(0.9)
    table = result["robustness"]
    assert table["unchanged"] == pytest.approx(0.9)
    assert set(table["changes"]) == set(PERTURBATIONS)
    dark = table["changes"]["low light"]
    assert dark["change"]["value"] == pytest.approx(dark["accuracy"] - 0.9, abs=1e-5)
    assert dark["change"]["value"] < 0


def test_robustness_is_measured_for_children_separately(result: dict) -> None:
    table = result["robustness"]["children"]
    assert table["faces"] == 4
    assert table["unchanged"] == 1.0
    for row in table["changes"].values():
        assert row["change"]["value"] == pytest.approx(row["accuracy"] - 1, abs=1e-5)
        assert row["change"]["low"] <= row["change"]["value"] <= row["change"]["high"]


def test_nan_becomes_null_in_json() -> None:
    assert nan_to_none({"a": [float("nan"), 0.1234567891], "b": (1,)}) == {"a": [None, 0.123457], "b": [1]}


def test_fewer_images_than_the_data_hold_is_a_warning() -> None:
    skipped = FaceDataset(FACES.images, FACES.targets, FACES.majority, FACES.names, None, ("x.png: no face was found",))
    report = nan_to_none(evaluate(load_checkpoint(), BrightnessRuntime(), skipped)[0]) | {"data": "school"}
    assert "warning: 1 of 11 images were not judged" in summary(report)


def test_groups_csv_gives_a_table_per_column(tmp_path: Path) -> None:
    rows = [f"{name},{'dark' if number > 6 else 'bright'},{number % 2}" for number, name in enumerate(FACES.names)]
    (tmp_path / "groups.csv").write_text("\n".join(["image,light,glasses", *rows]))
    tables = metrics_by_group(BrightnessRuntime().probabilities(FACES.images), FACES, tmp_path / "groups.csv")
    assert tables["light"]["dark"]["faces"] == 3
    assert tables["light"]["dark"]["accuracy"]["value"] == pytest.approx(2 / 3)
    assert tables["light"]["bright"]["accuracy"]["value"] == 1.0
    assert set(tables["glasses"]) == {"0", "1"}


def test_the_report_is_self_contained_and_escapes_names(result: dict) -> None:
    names = FACES.names.astype(object)
    names[8] = "<script>alert(1)</script>.png"
    faces = FaceDataset(FACES.images, FACES.targets, FACES.majority, names, FACES.children)
    tables = {"<b>": {"<i>": result["plurality"]["all"]}}
    page_of = result | {"data": "school", "groups": tables}
    page = report_page(page_of, BrightnessRuntime().probabilities(FACES.images), faces)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "<i>" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=\"?https?:", page)
    assert "data:image/png;base64," in page


def test_the_page_shows_the_24_most_confident_mistakes() -> None:
    (mistake,) = most_confident_mistakes(BrightnessRuntime().probabilities(FACES.images), FACES)
    assert (mistake["name"], mistake["answer"], mistake["label"]) == ("8.png", "neutral", "happy")
    many = faces_of([0] * 40, [1] * 40)
    assert len(most_confident_mistakes(BrightnessRuntime().probabilities(many.images), many)) == 24


def test_the_rows_of_the_drawn_matrix_are_normalised(result: dict) -> None:
    counts, shares = confusion_figure(result["plurality"]["all"]).data
    assert counts.text[Emotion.HAPPY][Emotion.HAPPY] == 2
    assert np.nansum(shares.text, 1) == pytest.approx(np.ones(8))


@pytest.mark.parametrize("name", PERTURBATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_perturbation_keeps_the_shape_and_is_repeatable(name: str, channels: int) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (4, 48, 48, channels), dtype=np.uint8)
    before = crops.copy()
    changed = PERTURBATIONS[name](crops)
    assert changed.shape == crops.shape
    assert changed.dtype == np.uint8
    assert (changed == PERTURBATIONS[name](crops)).all()
    assert (crops == before).all()
    assert (changed != crops).any()


def test_a_mask_covers_the_mouth_and_glasses_the_eyes() -> None:
    white = np.full((1, 48, 48, 1), 255, np.uint8)
    template = load_checkpoint().configuration.crop_template
    left_eye, right_eye, nose, left_mouth, right_mouth = ((round(x * 48), round(y * 48)) for x, y in template)
    masked, shaded = PERTURBATIONS["mask over the mouth"](white)[0], PERTURBATIONS["dark glasses"](white)[0]
    assert all(masked[y, x] == 200 for x, y in (left_mouth, right_mouth))
    assert all(masked[y, x] == 255 for x, y in (left_eye, right_eye))
    assert all(shaded[y, x] == 25 for x, y in (left_eye, right_eye))
    assert all(shaded[y, x] == 255 for x, y in (nose, left_mouth, right_mouth))


def test_data_that_do_not_fit_the_checkpoint_are_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    np.savez(
        tmp_path / "test.npz",
        images=np.zeros((1, 48, 48), np.uint8),
        votes=np.eye(10, dtype=np.uint8)[:1] * 9,
        names=np.array(["a"]),
    )
    checkpoint = load_checkpoint()
    assert len(load_dataset(tmp_path / "test.npz", checkpoint, False)) == 1
    other = replace(checkpoint, configuration=replace(checkpoint.configuration, crop_size=64))
    with pytest.raises(DataError, match="48 pixels"):
        load_dataset(tmp_path / "test.npz", other, False)


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )


@pytest.mark.slow
def test_a_class_folder_is_trained_on_and_judged_from_end_to_end(tmp_path: Path) -> None:
    """One minute of the real network on made-up crops, through the commands that a researcher types."""
    generator = np.random.default_rng(0)
    for emotion in Emotion:
        (tmp_path / "set" / emotion.key).mkdir(parents=True)
        for number in range(6):
            pixels = generator.integers(0, 120, (48, 48), dtype=np.uint8)
            pixels[6 * emotion : 6 * emotion + 6] += 120
            Image.fromarray(pixels).save(tmp_path / "set" / emotion.key / f"{number}.png")
    common = ["--crops", "--data", str(tmp_path / "set")]
    trained = run(
        *(
            "emotion.training.train",
            "--preset",
            "paper",
            "--start",
            str(PACKAGED_CHECKPOINT),
            "--out",
            str(tmp_path / "run"),
        ),
        *("--size", "64", "--batch", "16", "--epochs", "1", *common),
    )
    assert trained.returncode == 0, trained.stderr
    assert "people.csv is missing" in trained.stderr
    assert (tmp_path / "run" / "metrics.csv").read_text().count("\n") == 2

    checkpoint = tmp_path / "run" / "checkpoint"
    judged = run("emotion.training.evaluate", "--checkpoint", str(checkpoint), "--runtime", "torch", *common)
    assert judged.returncode == 0, judged.stderr
    found = json.loads((checkpoint / "evaluation-set.json").read_text())
    assert found["faces_judged"] == 48
    assert np.array(found["confusion"]).sum() == 48
    assert (checkpoint / "evaluation-set.html").exists()


def test_a_missing_checkpoint_or_data_set_is_said_in_one_line(tmp_path: Path) -> None:
    answer = run("emotion.training.evaluate", "--checkpoint", str(tmp_path / "none"), "--data", str(tmp_path))
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: ")
    assert "Traceback" not in answer.stderr
