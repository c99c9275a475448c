"""What a dataset card says of the files: what is in them, and how to train on them."""

from generation_functions.card.facts import CardFacts
from generation_functions.card.tables import NOT_MEASURED, make_table
from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_FOLDER
from generation_functions.datasets.balance import Receipt
from generation_functions.datasets.manifest import FolderManifest


def describe_contents(facts: CardFacts) -> list[str]:
    """Return paragraphs on the files, the balance of their parts, and how to train on them."""
    both = ((PRETRAINING_FOLDER, facts.manifest.pretraining), (SFT_FOLDER, facts.manifest.sft))
    rows = [
        (
            f"`{folder}/{one.name}`",
            f"{one.rows:,}",
            NOT_MEASURED if one.tokens is None else f"{one.tokens:,}",
            ("in part" if one.segments else "yes") if one.in_config else "no",
        )
        for folder, manifest in both
        for one in manifest.files
        if one.rows is not None and not one.name.startswith("provenance/")
    ]
    return [
        make_table(("file", "rows", "tokens", "trained on"), rows),
        *_describe_balance(facts.manifest.sft.balance),
        "\n".join(_sum_up(folder, manifest) for folder, manifest in both),
        f"Tokens are counted with `{facts.manifest.sft.token_counter}`. "
        f"{facts.manifest.sft.token_counter_note}".strip(),
        "`provenance/` in each folder tells of every row which source, place and quote it is made "
        "of; `MANIFEST.json` has the SHA-256 of each file.",
    ]


def _describe_balance(receipt: Receipt | None) -> list[str]:
    if not receipt or len(receipt.lines) < 2:
        return []
    rows = [
        (
            one.part,
            f"{one.rows:,}",
            f"{one.tokens:,}",
            f"{one.share:.1f} %",
            "" if one.asked_tokens is None else f"{one.asked_tokens:,}",
            one.why_short,
        )
        for one in receipt.lines
    ]
    head = (
        "part of the fine-tuning data",
        "rows",
        "tokens",
        "share",
        "tokens asked for",
        "why fewer",
    )
    return [make_table(head, rows)]


def _sum_up(folder: str, manifest: FolderManifest) -> str:
    return (
        f"- `{folder}`: {manifest.rows:,} rows, {manifest.tokens:,} tokens. {manifest.checks} "
        f"To train, go into the folder and run `{manifest.launch}`."
    )
