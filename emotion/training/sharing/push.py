"""Puts a checkpoint into a repository of the Hugging Face Hub, with a model card whose metadata the Hub reads.

    python -m emotion.training.sharing.push --checkpoint RUN/checkpoint --repository owner/name [--private]

Only what a checkpoint consists of goes up: weights, configuration, int8 model, model card, the figures on FER+ `test`,
notices and an ONNX file, where they are there. Pages with pictures and reports on data of your own stay here. Log in
first (``hf auth login``, or HF_TOKEN). The app opens what was pushed with ``EMOTION_CHECKPOINT=owner/name@revision``.
"""

import argparse

from huggingface_hub import CommitOperationAdd, HfApi, ModelCard, ModelCardData
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from emotion.labels import KEYS
from emotion.network.checkpoint import CONFIGURATION_FILE, INDEX_FILE, Checkpoint, load_checkpoint
from emotion.training.command_line import CommandError, command, existing_folder

ALONGSIDE = (INDEX_FILE, "evaluation.json", "NOTICE.txt", "LICENSE", "model.onnx")  # where they are there


def card_for_hub(checkpoint: Checkpoint, license_name: str | None) -> ModelCard:
    """The folder's README.md, with the metadata that the Hub searches by where it states none of its own."""
    path = checkpoint.folder / "README.md"
    card = ModelCard(path.read_text(encoding="utf-8") if path.is_file() else f"# {checkpoint.version}\n")
    stated = card.data.to_dict()
    usual = {
        "library_name": "timm" if len(checkpoint.configuration.shards) == 1 else "pytorch",
        "pipeline_tag": "image-classification",
        "tags": ["facial-expression-recognition", "resnet152", "safetensors"],
    }
    if license_name is not None:
        usual["license"] = license_name
    card.data = ModelCardData(**(usual | stated))
    if not stated:
        card.text = card.text.rstrip() + f"\n\nClasses, in this order: {', '.join(KEYS)}.\n"
    return card


def push(checkpoint: Checkpoint, repository: str, private: bool = False, license_name: str | None = None) -> str:
    """Makes the repository where there is none, and commits the checkpoint to it at once; returns the commit's id.

    Raises CommandError where the Hub refuses or cannot be reached.
    """
    configuration = checkpoint.configuration
    names = [CONFIGURATION_FILE, *sorted(configuration.shards), *ALONGSIDE]
    if configuration.int8 is not None:
        names.append(configuration.int8.file)
    files = [checkpoint.folder / name for name in names if (checkpoint.folder / name).is_file()]
    operations = [CommitOperationAdd(path.name, path) for path in files]
    card = str(card_for_hub(checkpoint, license_name)).encode()
    operations.append(CommitOperationAdd("README.md", card))
    api = HfApi()
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        if private and api.repo_info(repository).private is not True:
            raise CommandError(f"{repository} is there and is not private: nothing was pushed. Make it private first.")
        done = api.create_commit(repository, operations, commit_message=f"Weights {checkpoint.version}")
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise CommandError(
            f"{repository} takes nothing: {reason} Check the name and that you may write there (hf auth login)."
        ) from error
    return done.oid


@command
def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=existing_folder, required=True, help="the folder to push")
    parser.add_argument("--repository", required=True, metavar="OWNER/NAME", help="a model repository of the Hub")
    parser.add_argument("--private", action="store_true", help="a repository made here is for you alone")
    parser.add_argument("--license", metavar="NAME", help="as the Hub spells it (mit), where the card states none")
    arguments = parser.parse_args()
    checkpoint = load_checkpoint(arguments.checkpoint)
    commit = push(checkpoint, arguments.repository, arguments.private, arguments.license)
    print(f"{arguments.repository}@{commit}: {checkpoint.version}")


if __name__ == "__main__":
    main()
