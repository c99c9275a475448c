"""Reading documents that are broken, and reading and cutting many.

`python -m benchmarks.documents --damaged 500`: good files of each format, made by the tools
that the tests use, are damaged with fixed seeds and read among good ones. Seen must be: no
crash, no file that takes longer than the limit, each bad file named once, all good ones
unchanged. Exit status 1 if not.

`--gigabytes 1` and `--files 10000`: see scale.py.
"""

import argparse
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from io import BytesIO
from pathlib import Path

from docx import Document as Word

from benchmarks.scale import run_scale
from generation_functions.documents.formats.reader import SECONDS
from generation_functions.documents.reading import Reading, read_folders
from generation_functions.records import Document
from tests.written_files import Layout, sample_paragraphs, set_with_fpdf, set_with_reportlab
from tests.written_files import write_epub as write_book


def write_good_files(folder: Path) -> list[Path]:
    """Write one or two files of each format; return them."""
    text = sample_paragraphs()[:12]
    body = "".join(f"<h2>Part</h2><p>{one}</p><ul><li>a<li>b</ul>" for one in text)
    set_with_reportlab(folder / "one.pdf", text, Layout(hyphenated=True))
    set_with_fpdf(folder / "two.pdf", text, columns=2)
    write_book(folder / "one.epub", [("a.xhtml", body), ("b.xhtml", body[::1])])
    (folder / "one.html").write_text(f"<html><body>{body}</body></html>", encoding="utf-8")
    (folder / "one.txt").write_text("\n\n".join(text), encoding="utf-8")
    (folder / "one.md").write_text("---\ntitle: x\n---\n" + "\n\n".join(text), encoding="utf-8")
    (folder / "one.jsonl").write_text('{"text": "Salt is mined."}\n' * 20, encoding="utf-8")
    word = Word()
    for one in text:
        word.add_heading("Part", 1)
        word.add_paragraph(one)
        word.add_table(2, 2)
    word.save(str(folder / "one.docx"))
    return sorted(folder.iterdir())


def mutate(content: bytes, source: random.Random) -> bytes:
    """Damage a file: bytes changed, cut, doubled or put in; of a zip file also its members'."""
    if content[:2] == b"PK" and source.random() < 0.6:
        return _mutate_member(content, source)
    changed = bytearray(content)
    for _ in range(source.choice((1, 3, 20, 200))):
        at = source.randrange(len(changed) + 1)
        span = source.choice((1, 4, 64, 2000))
        match source.randrange(5):
            case 0:
                changed[at : at + 1] = source.randbytes(1)
            case 1:
                del changed[at : at + span]
            case 2:
                changed[at:at] = changed[at : at + span]
            case 3:
                changed[at:at] = source.randbytes(span)
            case _:
                changed[at : at + 8] = source.choice((b"99999999", b"-1", b"\0" * 8, b"<<", b"["))
    if source.random() < 0.2:
        del changed[source.randrange(len(changed) + 1) :]
    return bytes(changed)


def _mutate_member(content: bytes, source: random.Random) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(written, "w") as new:
        chosen = source.choice(old.namelist())
        for name in old.namelist():
            member = old.read(name)
            new.writestr(name, mutate(member, source) if name == chosen else member)
    return written.getvalue()


def read_damaged(folder: Path, files: int, seed: int = 0) -> tuple[Reading, list[Document], float]:
    """Read `files` damaged files among good ones; return also the good documents, and seconds."""
    good = folder / "good"
    good.mkdir(parents=True)
    originals = write_good_files(good)
    unharmed = list(read_folders([good], ["good"]).documents)
    bad = folder / "bad"
    bad.mkdir()
    for number in range(files):
        original = originals[number % len(originals)]
        damaged = mutate(original.read_bytes(), random.Random(f"{seed} {number}"))
        (bad / f"{number:03}{original.suffix}").write_bytes(damaged)
    start = time.perf_counter()
    reading = read_folders([bad, good], ["bad", "good"])
    return reading, unharmed, time.perf_counter() - start


def set_of_named(reading: Reading) -> set[str]:
    """Return the names of the files that have a problem; of a .jsonl lines may still be read."""
    return {Path(problem.split(": ")[0]).name for problem in reading.problems}


def list_faults(reading: Reading, unharmed: list[Document]) -> list[str]:
    """What must not be: a file named twice, both read and named, or a good one changed."""
    named = Counter(problem.split(": ")[0] for problem in reading.problems)
    faults = [f"{file}: named {times} times" for file, times in named.items() if times > 1]
    read = {one.path for one in reading.documents if one.directory == "bad"}
    faults += [f"{file}: read and named" for file in named if Path(file).name in read]
    if [one for one in reading.documents if one.directory == "good"] != unharmed:
        faults.append("a good file was read otherwise than before")
    faults += [problem for problem in reading.problems if "got nowhere" in problem]
    faults += [problem for problem in reading.problems if "ended the reader" in problem]
    return faults


def main() -> int:
    """Do what is asked for: damaged files, much text or many files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--damaged", type=int, default=500, help="how many damaged files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gigabytes", type=float, help="of text, in files of 1 MB")
    parser.add_argument("--files", type=int, help="this many files (of 10 kB, or as --gigabytes)")
    parser.add_argument("--folder", type=Path, help="where the text is written for the while")
    options = parser.parse_args()
    if options.gigabytes or options.files:
        gigabytes = options.gigabytes or options.files / 1e5
        run_scale(gigabytes, options.files or max(1, int(gigabytes * 1000)), options.folder)
        return 0
    return run_damaged(options.damaged, options.seed)


def run_damaged(files: int, seed: int) -> int:
    """Print how many files were read, named, and what must not be; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        reading, unharmed, seconds = read_damaged(Path(folder), files, seed)
    faults = list_faults(reading, unharmed)
    documents = {one.path.split("#")[0] for one in reading.documents if one.directory == "bad"}
    print(f"{files} damaged files in {seconds:.0f} s (limit {SECONDS:.0f} s without progress)")
    print(f"{len(documents)} still read, {len(reading.problems)} named with a reason")
    suffixes = Counter(problem.split(": ")[0].rpartition(".")[2] for problem in reading.problems)
    print("named, by format:", dict(suffixes))
    for problem in sorted({problem.partition(": ")[2][:100] for problem in reading.problems})[:40]:
        print("  ", problem)
    print(f"{len(faults)} faults", *faults, sep="\n  ")
    return 1 if faults or len(documents | set_of_named(reading)) != files else 0


if __name__ == "__main__":
    sys.exit(main())
