"""Pages without text: rendered for real, read by a stand-in for tesseract."""

import os
import sys
from pathlib import Path

import pytest
import written_files as made
from written_files import Layout

from generation_functions.__main__ import main
from generation_functions.display.pages import read_pages
from generation_functions.documents.formats import ocr
from generation_functions.documents.reading import Reading, read_folders
from generation_functions.documents.survey import DocumentLine
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.session import open_run, read_config
from generation_functions.sources import Source

# Reads the image's size, says what it was asked, and finds two lines and nothing in each image.
STAND_IN = r"""
import sys
from pathlib import Path
image, out, flag, languages, form = sys.argv[1:]
assert (out, flag, form) == ("stdout", "-l", "tsv"), sys.argv
if languages == "xyz":
    sys.exit("Error opening data file xyz.traineddata")
kind, width, height, depth = Path(image).read_bytes().split(maxsplit=4)[:4]
assert (kind, depth) == (b"P5", b"255")
assert len(Path(image).read_bytes()) > int(width) * int(height)
calls = Path(sys.argv[0]).with_name("calls")
calls.write_text(calls.read_text() + "." if calls.exists() else "")
tree = ["Ash", "Birch", "Cedar"][len(calls.read_text())]

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
    script.write_text(f"#!{sys.executable}\n{STAND_IN}", encoding="utf-8")
    script.chmod(0o755)


def complaint(reading: Reading) -> str:
    (problem,) = reading.problems
    return problem


needs_scripts = pytest.mark.skipif(os.name == "nt", reason="scripts are no programs there")


def test_without_ocr_a_scan_says_how_to_switch_it_on(folder: Path) -> None:
    said = complaint(read_folders([folder]))
    assert "no text on 3 of its 3 pages" in said
    assert "set `path.ocr: true`" in said


def test_without_tesseract_a_scan_says_how_to_get_it(folder: Path) -> None:
    said = complaint(read_folders([folder], ocr="eng"))
    assert "no program `tesseract` is installed; get it" in said


@needs_scripts
@pytest.mark.usefixtures("stand_in")
def test_a_scan_is_read_off_its_images(folder: Path) -> None:
    (document,) = read_folders([folder], ocr="eng").documents
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
    (document,) = read_folders([folder], ocr="eng").documents
    assert document.text.startswith(made.sample_paragraphs()[0])
    assert document.text[document.pages[-1] :] == READ[0]
    assert document.warnings[0].startswith(f"page {pages + 1} was read off its image")


@needs_scripts
@pytest.mark.usefixtures("stand_in")
def test_a_language_that_tesseract_lacks_is_named(folder: Path) -> None:
    said = complaint(read_folders([folder], ocr="xyz"))
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
        ocr.read_images(folder / "a.pdf", [0], "eng", lambda: None)


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
    (tmp_path / "bin" / "calls").unlink()
    engine = ScriptedEngine()
    (again,) = Source(open_run(config, {"small": engine, "large": engine}).config).documents()
    assert READ[0] in again.text
    (tmp_path / "bin" / "calls").unlink()
    line = DocumentLine("texts", "a.pdf", 1, 1, 1, 1, "english", ())
    assert READ[0] in read_pages(read_config(config), line)[0].document.text


def test_a_large_page_is_rendered_coarser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pypdfium2

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
