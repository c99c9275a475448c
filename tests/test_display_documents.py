"""What notebook 01 shows: what was read, what was dropped, what is alike, pages with chunks."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from conftest import TEXT
from hypothesis import given
from hypothesis import strategies as st
from test_display import HOSTILE, Reading

from generation_functions.config import Config
from generation_functions.display.browser import WIDGET
from generation_functions.display.documents import (
    mark_differences,
    show_documents,
    show_dropped,
    show_duplicates,
    show_kept,
)
from generation_functions.display.markup import Html
from generation_functions.display.pages import (
    LONG_PAGE,
    Page,
    Panel,
    browse_pages,
    make_pages,
    read_pages,
    show_page,
)
from generation_functions.display.plots import plot_token_lengths
from generation_functions.documents.cutting import CutSettings, Decision, cut
from generation_functions.documents.reading import read_documents
from generation_functions.documents.survey import (
    DocumentLine,
    Dropped,
    Survey,
    SurveyMaker,
)
from generation_functions.engine.tokens import count_words
from generation_functions.errors import InputError
from generation_functions.records import Chunk, Document
from generation_functions.session import read_config

CHUNK = Chunk("c", "d", HOSTILE, HOSTILE, HOSTILE, 0, len(HOSTILE), 9, headings=(HOSTILE,), page=3)
OTHER = replace(CHUNK, text=HOSTILE.replace("alert", "confirm"))
CONTENTS = (
    "Contents\n\nPiers .......... 3\nTolls .......... 9\nRopes .......... 12\nPaint .......... 20"
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A config over two files: one of prose, one of prose that is nearly the same."""
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a bridge.txt").write_text(TEXT, encoding="utf-8")
    (texts / "b bridge.txt").write_text(TEXT.replace("granite", "basalt"), encoding="utf-8")
    (texts / "contents.txt").write_text(CONTENTS, encoding="utf-8")
    content = {
        "path": {"input_dirs": [{"path": "texts"}], "output_dir": "run"},
        "models": {"small": {"gguf": "none.gguf"}, "large": {"gguf": "none.gguf"}},
        "dataset_context": "Bridges",
        "system": {"token_counter": "words", "chunk_size": 60},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return read_config(tmp_path / "config.yaml")


@pytest.fixture
def survey(config: Config) -> Survey:
    """What the config's files and chunks are, without a run."""
    folder = config.path.input_dirs[0]
    documents = read_documents([Path(folder.path)], [folder.name])
    maker = SurveyMaker()
    for document in documents:
        maker.add_document(document)
    for decision in cut(documents, CutSettings(config.system.chunk_size), count_words):
        maker.add(decision)
    return maker.finish()


def hostile_displays() -> Iterator[tuple[str, Html]]:
    line = DocumentLine(HOSTILE, HOSTILE, 1, 1, 1, 1, HOSTILE, (HOSTILE,))
    survey = Survey(
        documents=(line, line),
        dropped={HOSTILE: Dropped(1, (CHUNK,))},
        pairs=[(CHUNK, OTHER)],
        unreadable=(HOSTILE,),
        kept=(CHUNK,),
        going_on=1,
    )
    document = Document("d", HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1900, HOSTILE)
    page = Page(HOSTILE, document, 0, len(HOSTILE), (Decision(CHUNK, HOSTILE, HOSTILE),))
    yield "documents", show_documents(survey)
    yield "dropped", show_dropped(survey)
    yield "kept", show_kept(survey)
    yield "page", show_page(page)
    left, right = mark_differences(HOSTILE, HOSTILE)
    yield "equal", left
    yield "duplicates", show_duplicates(replace(survey, pairs=[(CHUNK, CHUNK)]))
    assert right == left


def test_hostile_text_is_shown_as_text() -> None:
    for name, shown in hostile_displays():
        reading = Reading(shown.source)
        assert HOSTILE in reading.text, name
        assert not reading.elements & {"script", "img"}, name
        assert not any(one.startswith("on") for one in reading.attributes), name
    shown = show_duplicates(Survey(pairs=[(CHUNK, OTHER)]))
    assert not Reading(shown.source).elements & {"script", "img"}


def test_a_file_has_a_row_and_all_have_a_sum(survey: Survey) -> None:
    text = Reading(show_documents(survey).source).text
    for said in ("a bridge.txt", "b bridge.txt", "contents.txt", "3 files", "english"):
        assert said in text
    words = sum(line.words for line in survey.documents)
    assert words == 2 * len(TEXT.split()) + len(CONTENTS.split())
    assert f"{words:,}" in text


def test_files_with_warnings_come_first_and_a_long_list_is_cut() -> None:
    lines = [DocumentLine("in", f"{n}.pdf", 9, 5, 7, 1, "english", ()) for n in range(5)]
    lines[3] = replace(lines[3], warnings=("page 2 has no text",))
    text = Reading(show_documents(Survey(documents=tuple(lines)), most=2).source).text
    assert text.index("3.pdf") < text.index("0.pdf")
    assert "page 2 has no text" in text
    assert "… and 3 more" in text
    assert "45" in text  # pages of all
    assert "2.pdf" not in text


def test_files_left_out_are_named_with_their_reason() -> None:
    text = Reading(show_documents(Survey(unreadable=("x.pdf: a scan",))).source).text
    assert "Left out, whole or in part: 1 files" in text
    assert "x.pdf: a scan" in text


def test_what_was_dropped_is_counted_by_reason_with_examples(survey: Survey) -> None:
    (reason,) = [one for one in survey.dropped if "duplicate" not in one]
    text = Reading(show_dropped(survey).source).text
    assert re.search(rf"{reason}1\d+\.\d%", text)
    assert f"{reason}: the first 1 of 1" in text
    assert "Tolls .........." in text
    assert "goes on" in text
    assert "There is no chunk" in show_dropped(Survey()).source


def test_near_duplicates_stand_side_by_side_with_the_differing_words_marked(
    survey: Survey,
) -> None:
    shown = show_duplicates(survey).source
    assert re.findall(r"<mark[^>]*>([^<]*)</mark>", shown) == ["basalt.", "granite."]
    text = Reading(shown).text
    assert text.index("dropped: b bridge") < text.index("goes on: a bridge")
    assert "nearly like another" in show_duplicates(Survey()).source


words = st.lists(  # what markup and white space could break
    st.sampled_from(["a", "b", "<b>", "\n", "&", "c d"]), max_size=12
).map(" ".join)


@given(words, words)
def test_marked_texts_are_the_texts_and_what_is_not_marked_is_common(one: str, two: str) -> None:
    marked = mark_differences(one, two)
    assert tuple(Reading(side.source).text for side in marked) == (one, two)
    plain = [re.sub(r"(?s)<mark.*?</mark>", " ", side.source).split() for side in marked]
    assert plain[0] == plain[1]


def test_lengths_are_drawn_for_each_directory(survey: Survey) -> None:
    figure = plot_token_lengths(survey.lengths, limit=60).figure
    (axes,) = figure.axes
    assert axes.get_title(loc="left").startswith(f"texts: {len(survey.lengths['texts'])}, median")


def test_the_pages_of_a_file_show_all_its_text_with_its_chunks_in_turn(
    config: Config, survey: Survey
) -> None:
    (page,) = read_pages(config, survey.documents[0])
    shown = show_page(page).source
    assert "".join(Reading(shown).text.split()).count("812metreslong") == 1
    colours = re.findall(r"background: rgba\(([\d, ]+), \.16\)", shown)
    assert len(colours) == len(page.decisions) > 1
    assert all(one != two for one, two in pairwise(colours))
    for decision in page.decisions:
        assert f"{decision.chunk.tokens} tokens" in shown
    assert "The Kelvin Bridge ·" in Reading(shown).text  # its heading


def test_a_dropped_chunk_says_why_on_its_page(config: Config, survey: Survey) -> None:
    line = next(one for one in survey.documents if one.path == "contents.txt")
    (page,) = read_pages(config, line)
    assert f"dropped: {page.decisions[0].reason}" in show_page(page).source
    assert page.decisions[0].reason


def cut_one(text: str, pages: tuple[int, ...] = ()) -> tuple[Document, list[Decision]]:
    document = Document("d", "in", "a.txt", "A", None, None, text, pages=pages)
    return document, list(cut([document], CutSettings(60, drop_duplicates=False), count_words))


@pytest.mark.parametrize("pages", [(), (0, 500, 500, 1200)])
def test_pages_joined_are_the_document(pages: tuple[int, ...]) -> None:
    document, decisions = cut_one("\n\n".join([TEXT] * 12), pages)
    found = make_pages(document, decisions)
    assert [page.start for page in found] == [0, *(page.end for page in found[:-1])]
    assert found[-1].end == len(document.text)
    if pages:
        assert tuple(page.start for page in found) == pages
    else:
        assert len(found) > 1
        assert all(page.end - page.start >= LONG_PAGE for page in found[:-1])
    shown = "".join(
        text for page in found for text in re.findall(r'anywhere">([^<]*)<', show_page(page).source)
    )
    assert "".join(shown.split()) == "".join(document.text.split())
    assert ("No text on this page" in show_page(found[1]).source) == bool(
        pages and found[1].start == found[1].end
    )


def test_a_chunk_that_goes_over_a_page_says_so() -> None:
    document, decisions = cut_one(TEXT, (0, 100))
    first, second = make_pages(document, decisions)
    assert "begins on the page before" not in show_page(first).source
    assert "begins on the page before" in show_page(second).source


def test_the_browser_goes_from_file_to_file_and_page_to_page(
    config: Config, survey: Survey
) -> None:
    browser = browse_pages(config, survey)
    panel = Panel(browser)
    assert "nine piers of granite" in re.sub(r"\s+", " ", panel.text.value)
    panel.file.value = 1
    assert "nine piers of basalt" in re.sub(r"\s+", " ", panel.text.value)
    Path(config.path.input_dirs[0].path, "contents.txt").unlink()
    panel.file.value = 2
    assert "no such file" in panel.text.value
    bundle = browser._repr_mimebundle_()
    assert WIDGET in bundle
    assert "granite" in bundle["text/html"]


def test_the_browser_takes_only_files_of_a_name(config: Config, survey: Survey) -> None:
    assert [line.path for line in browse_pages(config, survey, "b br").lines] == ["b bridge.txt"]
    nothing = browse_pages(config, survey, "no such name")._repr_mimebundle_()
    assert WIDGET not in nothing
    assert "There is no document" in nothing["text/html"]


def test_a_file_too_large_to_show_says_what_to_do(
    config: Config, survey: Survey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation_functions.display.pages.LARGEST", 10)
    with pytest.raises(InputError, match="too large to be shown here"):
        read_pages(config, survey.documents[0])
    assert "too large" in browse_pages(config, survey).show_plain().source
