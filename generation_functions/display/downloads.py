"""Fetching a GGUF from the Hugging Face hub, when a notebook asks for one."""

from pathlib import Path

from generation_functions.display.markup import Html, join, tag
from generation_functions.display.models import models_folder
from generation_functions.display.tables import show_table
from generation_functions.engine.download import download_gguf


def download_model(
    config_file: Path | str, repo: str = "", file: str = "", revision: str = "main"
) -> Html:
    """Download a GGUF, by repository and file name, into the config's folder of models.

    Returns what came, with the licence that the hub names; nothing is done without names.
    Raises ModelError, which says what to do.
    """
    if not repo or not file:
        return tag("p", tag("em", "Nothing was asked for, nothing is downloaded."))
    done = download_gguf(models_folder(config_file), repo, file, revision)
    rows = [
        {"file": path.name, "gigabytes": path.stat().st_size / 1e9, "sha256_as_the_hub_has_it": sha}
        for path, sha in zip(done.files, done.checksums, strict=True)
    ]
    licence = done.repo.licence or "not said"
    link = done.repo.licence_link
    said = tag("p", f"From {done.repo.url}, commit {done.repo.commit[:12]}. Licence: {licence}")
    return join([show_table(rows), said, tag("p", link) if link else ""])
