"""The head of a dataset card: the YAML that the Hugging Face hub reads.

Fields: huggingface/hub-docs, datasetcard.md; `configs` and `data_files`: its
datasets-manual-configuration.md.
"""

import re
from collections.abc import Iterable
from typing import Any

import yaml

from generation_functions.card.facts import CardFacts
from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_FOLDER
from generation_functions.datasets.row_files import FileEntry
from generation_functions.pipelines.coverage import DocumentEntry

UNKNOWN, OTHER = "unknown", "other"  # the hub's names for no licence, and for one not in its list
_CREATIVE_COMMONS = re.compile(
    r"\b(?:cc[ -]|creativecommons\.org/licenses/)(by(?:-nc)?(?:-nd|-sa)?)[ /-](\d\.\d)", re.I
)
_ZERO = re.compile(r"\bcc[ -]?0\b|creativecommons\.org/publicdomain/zero", re.I)
_NAMED = {"mit", "apache-2.0", "gpl-3.0", "odc-by", "odbl", "pddl", "unlicense", "gfdl"}
_LIMITS = ("1K", "10K", "100K", "1M", "10M", "100M", "1B")  # rows

# Punkt's names, which are those of the languages in English -> ISO 639-1
_CODES = {
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "estonian": "et",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "italian": "it",
    "malayalam": "ml",
    "norwegian": "no",
    "polish": "pl",
    "portuguese": "pt",
    "russian": "ru",
    "slovene": "sl",
    "spanish": "es",
    "swedish": "sv",
    "turkish": "tr",
}


def write_front_matter(facts: CardFacts, folder: str = "") -> str:
    """Return the YAML between its two lines of dashes.

    `folder` is the training folder that the card lies in, "" for the folder of both: its
    `configs` name the files from there.
    """
    sources = facts.sources or ()
    found = {name_licence(one.licence) for one in sources}
    licences = sorted(found | ({UNKNOWN} if facts.generic or not found else set()))
    rows = facts.manifest.pretraining.rows + facts.manifest.sft.rows
    head: dict[str, Any] = {
        "pretty_name": facts.subject,
        "license": licences[0] if len(licences) == 1 else licences,
    }
    if licences == [OTHER]:
        head["license_name"] = "as-the-sources-state"
    head |= {
        "language": sorted({name_language(one) for one in sources} - {""}),
        "size_categories": [name_size(rows)],
        "task_categories": ["text-generation", "question-answering"],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["found", "machine-generated"],
        "tags": ["synthetic", "domain-adaptation", "palimpsest"],
        "configs": _list_configs(facts, folder),
    }
    told = {name: value for name, value in head.items() if value}
    text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=98)
    return f"---\n{text}---\n"


def name_licence(stated: str) -> str:
    """Return the hub's name for a licence as a document states it."""
    if not stated.strip():
        return UNKNOWN
    if _ZERO.search(stated):
        return "cc0-1.0"
    if found := _CREATIVE_COMMONS.search(stated):
        return f"cc-{found[1].lower()}-{found[2]}"
    plain = stated.strip().lower().replace(" ", "-")
    return plain if plain in _NAMED else OTHER


def name_language(source: DocumentEntry) -> str:
    """Return the two or three letters of a document's language, "" where they are not known."""
    stated = source.language.strip().lower()
    code = re.fullmatch(r"([a-z]{2,3})(?:[-_].*)?", stated)
    return _CODES.get(stated) or (code[1] if code else "")


def name_size(rows: int) -> str:
    """Return the hub's range for a number of rows."""
    below = "n"
    for number, limit in enumerate(_LIMITS):
        if rows < 1000 * 10**number:
            return f"{below}<{limit}"
        below = f"{limit}<n"
    return "1B<n<10B"


def _list_configs(facts: CardFacts, folder: str) -> list[dict[str, Any]]:
    """Return a config for each kind of rows that is trained on."""
    parts = {PRETRAINING_FOLDER: facts.manifest.pretraining, SFT_FOLDER: facts.manifest.sft}
    configs = []
    for name, manifest in parts.items():
        if folder not in ("", name):
            continue
        before = "" if folder else f"{name}/"
        used = [one for one in manifest.files if one.in_config]
        kind = name.removesuffix("_run")
        text = (one for one in used if not (one.segments or one.chat))
        configs += _config(kind, before, text)
        configs += _config(f"{kind}_chat", before, (one for one in used if one.chat))
        configs += _config(f"{kind}_segments", before, (one for one in used if one.segments))
    return configs


def _config(name: str, before: str, files: Iterable[FileEntry]) -> list[dict[str, Any]]:
    paths = [f"{before}{one.name}" for one in files]
    split = {"split": "train", "path": paths}
    return [{"config_name": name, "data_files": [split]}] if paths else []
