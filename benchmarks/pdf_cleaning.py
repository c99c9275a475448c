"""PDF cleaning by a model: words of a known text before and after, on damage with a fixed seed.

    python -m benchmarks.pdf_cleaning GGUF [--texts FOLDER] [--pieces 24] [--show FILE]

Paragraphs are damaged as scans and PDFs are (broken and joined words, letters misread, heads
of pages within sentences), cleaned through the pipeline, and compared with what they were.
"""

import argparse
import asyncio
import json
import random
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml

from generation_functions.documents.reading import read_documents
from generation_functions.engine.tokens import count_words
from generation_functions.pipelines.pdf_cleaning import CLEAN_PDF, LABEL, clean_document
from generation_functions.records import Document, make_uuid
from generation_functions.session import open_run
from generation_functions.steps.run import Run

SAMPLES = Path(__file__).parents[1] / "input_texts" / "samples"
CONFUSED = (("m", "rn"), ("w", "vv"), ("d", "cl"), ("h", "li"), ("I ", "l "), ("o", "0"))
HEADS = ("THE FIRST PRINCIPLES", "PART II. METHODS", "OF WATER AND SALTS", "A HANDBOOK")
WORD = re.compile(r"\w+")


def choose_paragraphs(folder: Path, pieces: int, seed: int) -> list[str]:
    """Return paragraphs of prose of 60 to 160 words, one line each, chosen by the seed."""
    found = [
        " ".join(paragraph.split())
        for document in read_documents([folder])
        for paragraph in document.text.split("\n\n")
        if 60 <= len(paragraph.split()) <= 160
    ]
    return random.Random(seed).sample(found, min(pieces, len(found)))


def damage(paragraph: str, source: random.Random) -> tuple[str, int | None]:
    """Return the damaged paragraph, and where in it a page begins, if one does."""
    words = []
    for word in paragraph.split():
        drawn = source.random()
        plain = len(word) > 5 and word.isalpha() and word.islower()
        if plain and drawn < 0.06:
            cut = source.randrange(2, len(word) - 2)
            word = word[:cut] + source.choice(["- ", "- ", " "]) + word[cut:]
        elif word.isalpha() and drawn < 0.14:
            letters, misread = source.choice(CONFUSED)
            word = word.replace(letters.strip(), misread.strip(), 1) if len(word) > 2 else word
        words.append(word)
    for place in source.sample(range(1, len(words)), 2):
        words[place - 1 : place + 1] = [words[place - 1] + words[place], ""]
    words = [word for word in words if word]
    if source.random() < 0.5:
        return " ".join(words), None
    place = source.randrange(10, len(words) - 10)
    before = " ".join(words[:place]) + " "
    head = f"{source.choice(HEADS)} {source.randrange(20, 400)}"
    return before + " ".join([head, *words[place:]]), len(before)


def overlap(one: str, two: str) -> float:
    """Return twice the words in common to the words of both (as often as they stand there)."""
    first, second = Counter(WORD.findall(one.lower())), Counter(WORD.findall(two.lower()))
    return 2 * (first & second).total() / max(1, (first + second).total())


async def clean_all(run: Run, documents: list[Document]) -> list[Document]:
    """Clean the documents in a stage."""

    async def clean(document: Document) -> Document:
        return await clean_document(run, document, count_words)

    async with run.stage("cleaning"):
        run.load_prompts(CLEAN_PDF)
        return await run.map(clean, documents)


def open_cleaning(gguf: Path, folder: Path) -> Run:
    """Open a run on the model, for one piece a paragraph."""
    role = {"gguf": gguf.name, "context": 4096, "slots": 4}
    config = {
        "path": {
            "input_dirs": [{"path": "."}],
            "output_dir": "run",
            "models_dir": str(gguf.resolve().parent),
        },
        "models": {"small": role, "large": role},
        "dataset_context": "books",
        "system": {"token_counter": "words"},
        "pdf_cleaning": {"enabled": True, "pdf_cleaning_chunk_size": 400},
    }
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    return open_run(file)


def show(original: str, damaged: str, cleaned: str) -> str:
    """Return the three versions, for a person to read."""
    state = "KEPT AS IT WAS" if cleaned == damaged else "CLEANED"
    return f"=== ORIGINAL\n{original}\n--- DAMAGED\n{damaged}\n--- {state}\n{cleaned}\n\n"


def main() -> None:
    """Clean, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--texts", type=Path, default=SAMPLES)
    parser.add_argument("--pieces", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=Path, help="write every piece to this file")
    options = parser.parse_args()
    originals = choose_paragraphs(options.texts, options.pieces, options.seed)
    documents = []
    for number, original in enumerate(originals):
        text, page = damage(original, random.Random(f"{options.seed} {number}"))
        uuid = make_uuid("damaged", f"{number}.pdf", text)
        pages = (0,) if page is None else (0, page)
        name = f"{number}.pdf"
        documents.append(Document(uuid, "damaged", name, name, None, None, text, pages=pages))
    with tempfile.TemporaryDirectory() as folder:
        run = open_cleaning(options.gguf, Path(folder))
        start = time.monotonic()
        cleaned = asyncio.run(clean_all(run, documents))
        seconds = time.monotonic() - start
        status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))["cleaning"]
    triples = list(zip(originals, documents, cleaned, strict=True))
    before = [overlap(original, damaged.text) for original, damaged, _ in triples]
    after = [overlap(original, clean.text) for original, _, clean in triples]
    if options.show:
        texts = (show(original, old.text, new.text) for original, old, new in triples)
        options.show.write_text("".join(texts), encoding="utf-8")
    counts = status["pipelines"][LABEL]
    print(f"{len(triples)} pieces in {seconds:.0f} s; overlap with the original, mean and least:")
    for name, values in (("damaged", before), ("cleaned", after)):
        print(f"  {name} {sum(values) / len(values):.2%} {min(values):.2%}")
    worse = sum(two < one for one, two in zip(before, after, strict=True))
    print(f"  worse than before: {worse}; kept as they were: {counts['rejected']}")
    print(f"  {counts['reasons']['rejected']}")


if __name__ == "__main__":
    main()
