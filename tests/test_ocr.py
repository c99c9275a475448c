"""Pages without text: rendered for real, read by a stand-in for tesseract, and remembered."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pypdfium2
import pytest
import written_files as made
from scripted_run import friendly_reply
from written_files import Layout

from generation_functions.command_line import main
from generation_functions.display.pages import read_pages
from generation_functions.documents.folders import Problem
from generation_functions.documents.formats import ocr
from generation_functions.documents.formats.scanned import Ocr, ReadPage, ScannedPage
from generation_functions.documents.reading import Reading, read_folders
from generation_functions.documents.survey import DocumentLine
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.ocr_files import FOLDER, OcrFiles
from generation_functions.session import open_run
from generation_functions.sources import Source
from generation_functions.stages import documents, write_questions
from generation_functions.steps.files import Writer
from generation_functions.steps.run import Run

# Says its version, or reads the image's size and finds two lines and nothing in each image.
STAND_IN = r"""
import sys
from pathlib import Path
if sys.argv[1:] == ["--version"]:
    version = Path(sys.argv[0]).with_name("version")
    print("tesseract", version.read_text() if version.exists() else "5.3.0")
    sys.exit()
image, out, flag, languages, form = sys.argv[1:]
assert (out, flag, form) == ("stdout", "-l", "tsv"), sys.argv
if languages == "xyz":
    sys.exit("Error opening data file xyz.traineddata")
kind, width, height, depth = Path(image).read_bytes().split(maxsplit=4)[:4]
assert (kind, depth) == (b"P5", b"255")
assert len(Path(image).read_bytes()) > int(width) * int(height)
calls = Path(sys.argv[0]).with_name("calls")
calls.write_text(calls.read_text() + "." if calls.exists() else "")
tree = ["Ash", "Birch", "Cedar"][len(calls.read_text()) % 3]

def say(*values):
    print(*values, sep="\t")

say(*"level page_num block_num par_num line_num word_num left top width height conf text".split())
say(1, 1, 0, 0, 0, 0, 0, 0, width.decode(), height.decode(), -1, "")
lines = f'"{tree} was felled here by the men of Ostry and car-', f"ried off, {tree},"
for line, text in enumerate(lines):
    for number, word in enumerate(text.split()):
        say(5, 1, 1, 1, line, number, 300 + 90 * number, 400 + 50 * line, 80, 40, 96.1, word)
say(5, 1, 2, 1, 0, 0, 300, 500, 80, 40, 12.5, " ")
"""
READ = [
    f'"{tree} was felled here by the men of Ostry and carried off, {tree},'
    for tree in ("Ash", "Birch", "Cedar")
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An input directory with a scan of three pages; no tesseract is installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    directory = Path("texts")
    directory.mkdir()
    made.write_scan(directory / "a.pdf")
    return directory


@pytest.fixture
def stand_in(tmp_path: Path) -> None:
    """Put a tesseract on the PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    script = programs / "tesseract"
    script.write_text(f"#!{sys.executable} -IS\n{STAND_IN}", encoding="utf-8")
    script.chmod(0o755)


def pages_read(tmp_path: Path) -> int:
    """Return how many pages tesseract read since this was asked last."""
    calls = tmp_path / "bin" / "calls"
    count = len(calls.read_text()) + 1 if calls.exists() else 0
    calls.unlink(missing_ok=True)
    return count


def read_remembering(languages: str = "eng", file: str = "a.pdf") -> str:
    """Read the scan as the reader's process does for a run in the folder `run`; return its text."""
    writer = Writer()
    run = Path("run")
    files = OcrFiles(run, lambda name, text: writer.write(run / name, text))
    with pypdfium2.PdfDocument(Path("texts", file)) as pdf:
        pages = range(len(pdf))
    read = ocr.read_images(Path("texts", file), pages, Ocr(languages, files), lambda: None)
    return "\n".join(line.text for lines in read.values() for line in lines)


def remembered() -> list[Path]:
    return sorted((Path("run") / FOLDER).rglob("*.json"))


def open_scanned(tmp_path: Path, **path: object) -> Run:
    """Open a run over the folder; its models answer what the grammars allow."""
    config = tmp_path / "config.yaml"
    inputs = {"input_dirs": [{"path": "texts"}], "output_dir": "run", "ocr": True, **path}
    value = {
        "path": inputs,
        "models": {role: {"gguf": "a.gguf"} for role in ("small", "large")},
        "dataset_context": "Salt",
        "questions": {"planted_pairs": 0},
        "system": {"token_counter": "words"},
    }
    config.write_text(json.dumps(value), encoding="utf-8")  # which is YAML too
    engine = ScriptedEngine(friendly_reply)
    run = open_run(config, {"small": engine, "large": engine})
    run.progress = False
    return run


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Render small images in this process: the stand-in sees nothing in them anyway."""
    monkeypatch.setattr(ocr, "MOST_PIXELS", 10_000)


def complaint(reading: Reading) -> str:
    (problem,) = reading.problems
    return problem


needs_scripts = pytest.mark.skipif(os.name == "nt", reason="scripts are no programs there")


def test_without_ocr_a_scan_says_how_to_switch_it_on(folder: Path) -> None:
    said = complaint(read_folders([folder]))
    assert "no text on 3 of its 3 pages" in said
    assert "set `path.ocr: true`" in said


def test_without_tesseract_a_scan_says_how_to_get_it(folder: Path) -> None:
    said = complaint(read_folders([folder], ocr=Ocr("eng")))
    assert "no program `tesseract` is installed; get it" in said


@needs_scripts
@pytest.mark.usefixtures("stand_in")
def test_a_scan_is_read_off_its_images(folder: Path) -> None:
    (document,) = read_folders([folder], ocr=Ocr("eng")).documents
    assert document.text == " ".join(READ)
    assert document.pages == tuple(document.text.index(one) for one in READ)
    assert document.warnings == ("page 1-3 was read off its image, which makes mistakes",)


@needs_scripts
@pytest.mark.usefixtures("stand_in")
def test_only_pages_without_text_are_read_off_their_images(folder: Path) -> None:
    from pypdf import PdfWriter

    made.set_with_reportlab(folder / "b.pdf", made.sample_paragraphs(), Layout())
    writer = PdfWriter(clone_from=folder / "b.pdf")
    pages = len(writer.pages)
    writer.append(str(folder / "a.pdf"), pages=(0, 1))
    writer.write(folder / "b.pdf")
    (folder / "a.pdf").unlink()
    (document,) = read_folders([folder], ocr=Ocr("eng")).documents
    assert document.text.startswith(made.sample_paragraphs()[0])
    assert document.text[document.pages[-1] :] == READ[0]
    assert document.warnings[0].startswith(f"page {pages + 1} was read off its image")


@needs_scripts
@pytest.mark.usefixtures("stand_in")
def test_a_language_that_tesseract_lacks_is_named(folder: Path) -> None:
    said = complaint(read_folders([folder], ocr=Ocr("xyz")))
    assert "tesseract failed (exit 1): Error opening data file xyz.traineddata" in said
    assert "`path.ocr_languages`" in said


@needs_scripts
def test_a_tesseract_that_hangs_is_stopped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "tesseract"
    program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(ocr, "SECONDS", 0.5)
    with pytest.raises(ValueError, match=r"took more than 0\.5 seconds for a page"):
        ocr.read_images(folder / "a.pdf", [0], Ocr("eng"), lambda: None)


@needs_scripts
@pytest.mark.usefixtures("stand_in", "folder")
def test_the_config_and_the_command_line_switch_it_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["read", "texts/a.pdf", "--ocr", "eng"]) == 0
    assert READ[0] in capsys.readouterr().out
    config = tmp_path / "config.yaml"
    config.write_text(
        "path: {input_dirs: [{path: texts}], output_dir: run, ocr: true, ocr_languages: eng+deu}\n"
        "models: {small: {gguf: a.gguf}, large: {gguf: a.gguf}}\n"
        "dataset_context: Salt\nsystem: {token_counter: words}\n",
        encoding="utf-8",
    )
    engine = ScriptedEngine()
    (again,) = Source(open_run(config, {"small": engine, "large": engine}).config).documents()
    assert READ[0] in again.text


@needs_scripts
@pytest.mark.usefixtures("stand_in", "folder", "coarse")
def test_no_stage_reads_a_page_again(tmp_path: Path) -> None:
    text = read_remembering()
    assert pages_read(tmp_path) == 3
    run = open_scanned(tmp_path)
    asyncio.run(write_questions(run))
    line = DocumentLine("texts", "a.pdf", 1, 1, 1, 1, "english", ())
    shown = read_pages(run.config, line)
    assert pages_read(tmp_path) == 0
    assert shown[0].document.text.split()[:12] == text.split()[:12]


@needs_scripts
@pytest.mark.usefixtures("stand_in", "folder")
def test_a_whole_pass_over_the_documents_forgets_pages_of_no_file(tmp_path: Path) -> None:
    run = open_scanned(tmp_path)
    gone = ReadPage(ScannedPage("0" * 64, 1, "eng", "tesseract 5.3.0", "gone.pdf"), ())
    OcrFiles(run.folder, run.write_text).store(gone)
    survey = asyncio.run(documents(run, limit=1))
    assert len(remembered()) == 4
    assert pages_read(tmp_path) == 3
    assert asyncio.run(documents(run)) == survey
    assert pages_read(tmp_path) == 0
    assert len(remembered()) == 3
    assert len({page.parent for page in remembered()}) == len(list(Path("run/ocr").iterdir())) == 1


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.usefixtures("folder")
def test_a_pass_that_left_something_out_forgets_no_page(tmp_path: Path, on: bool) -> None:
    run = open_scanned(tmp_path, ocr=on, skip_unreadable=True)
    files = OcrFiles(run.folder, run.write_text)
    files.store(ReadPage(ScannedPage("0" * 64, 1, "eng", "tesseract 5.3.0", "a.pdf"), ()))
    source = Source(run.config, ocr_files=OcrFiles(run.folder))
    source.problems += [Problem("texts/a.pdf: no tesseract", "texts", "a.pdf")] if on else []
    source.forget_pages()
    assert len(remembered()) == 1


@needs_scripts
@pytest.mark.usefixtures("stand_in", "folder", "coarse")
def test_a_remembered_page_is_readable_and_says_what_it_is_of() -> None:
    read_remembering()
    page = json.loads(remembered()[1].read_text(encoding="utf-8"))
    assert {**page["page"], "sha256": ""} == {
        "sha256": "",
        "number": 2,
        "languages": "eng",
        "version": "tesseract 5.3.0",
        "file": "a.pdf",
    }
    assert [line["text"] for line in page["lines"]] == [
        '"Birch was felled here by the men of Ostry and car-',
        "ried off, Birch,",
    ]


@needs_scripts
@pytest.mark.usefixtures("stand_in", "coarse")
def test_another_language_version_or_file_is_read_anew(folder: Path, tmp_path: Path) -> None:
    read_remembering()
    assert pages_read(tmp_path) == 3
    read_remembering("eng+deu")
    assert pages_read(tmp_path) == 3
    (tmp_path / "bin" / "version").write_text("5.5.1")
    ocr.find_version.cache_clear()  # a reader's process does not outlive a pass
    read_remembering()
    assert pages_read(tmp_path) == 3
    made.write_scan(folder / "a.pdf", 2)
    read_remembering()
    assert pages_read(tmp_path) == 2


@needs_scripts
@pytest.mark.usefixtures("stand_in", "coarse")
def test_a_renamed_file_is_not_read_anew(folder: Path, tmp_path: Path) -> None:
    text = read_remembering()
    pages_read(tmp_path)
    (folder / "a.pdf").rename(folder / "b.pdf")
    assert read_remembering(file="b.pdf") == text
    assert pages_read(tmp_path) == 0


@needs_scripts
@pytest.mark.usefixtures("stand_in", "folder", "coarse")
@pytest.mark.parametrize("damage", ["", '{"page": ', '{"lines": []}', "another page's"])
def test_a_damaged_memory_is_read_anew_and_mended(tmp_path: Path, damage: str) -> None:
    read_remembering()
    first, second, _ = remembered()
    whole = first.read_bytes()
    pages_read(tmp_path)
    first.write_bytes(second.read_bytes() if damage.startswith("another") else damage.encode())
    read_remembering()
    assert pages_read(tmp_path) == 1
    assert first.read_bytes() == whole


def test_a_large_page_is_rendered_coarser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made.write_scan(tmp_path / "a.pdf", 1)
    monkeypatch.setattr(ocr, "MOST_PIXELS", 10_000)
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as pdf:
        page = pdf[0]
        scale = ocr.write_image(page, tmp_path / "a.pgm")
        page.close()
    assert scale < 0.2
    content = (tmp_path / "a.pgm").read_bytes()
    width, height = map(int, content.split(maxsplit=3)[1:3])
    assert 9_000 < width * height < 11_000
    assert len(content) == width * height + len(f"P5 {width} {height} 255\n")
