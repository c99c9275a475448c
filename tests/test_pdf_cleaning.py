"""PDF cleaning by model: what strays stays as it was, what is answered is not asked again."""

import asyncio
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import OpenRun
from hypothesis import given, settings
from hypothesis import strategies as st
from written_files import set_with_fpdf

from generation_functions.display.pages import read_pages, show_page
from generation_functions.documents.damage import compare_words, find_numbers, move_offsets
from generation_functions.engine.protocol import Completion, Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.engine.tokens import count_words
from generation_functions.errors import EngineError, InputError, RunFolderError
from generation_functions.pipeline_sections import PdfCleaning
from generation_functions.pipelines.pdf_cleaning import (
    CLEAN_PDF,
    LABEL,
    Piece,
    clean_document,
    find_stray,
    wants_cleaning,
)
from generation_functions.records import Document, make_uuid
from generation_functions.stages import clean_pdfs, documents
from generation_functions.steps.prompts import GRAMMARS, PROMPTS, load_prompt
from generation_functions.steps.run import Run

CLEAN = (
    "The weir at Tolham was built in 1874 by the brothers Ames, who had come from the north. "
    "It is 64 metres long and holds back the river for the modern mill, which grinds all the "
    "corn of the valley from harvest to spring.\n\n"
    "In 1903 a flood took away two of its five gates. They were not found again, and for nine "
    "years boats went through the gap; the miller counted 211 of them in a single summer. "
    "Information about the repair is kept in the parish chest."
)
DAMAGED = (
    CLEAN.replace("modern", "rnodern")
    .replace("Information", "Inform- ation")
    .replace("harvest", "har vest")
)
PIECE = Piece("p", DAMAGED, PdfCleaning())
GRAMMAR = load_prompt("clean_pdf").grammar


def make_document(text: str = DAMAGED, pages: tuple[int, ...] = ()) -> Document:
    uuid = make_uuid("texts", "weir.pdf", text)
    return Document(uuid, "texts", "weir.pdf", "The Weir", None, None, text, pages=pages)


def shown(request: Request) -> str:
    """The text that a request asks about."""
    return request.messages[-1].content.split("\n", 1)[1].rpartition("\n\n")[0]


def repair(request: Request) -> str:
    text = shown(request).replace("rnodern", "modern").replace("Inform- ation", "Information")
    return text.replace("har vest", "harvest")


@pytest.fixture
def clean(open_small_run: OpenRun) -> Callable[..., tuple[Document, Run]]:
    """Clean a document in a run whose engine answers by `script`."""

    def clean_it(
        script: Callable[[Request], str | Completion] | ScriptedEngine,
        document: Document | None = None,
        prompts: Path | None = None,
        **settings: Any,
    ) -> tuple[Document, Run]:
        engine = script if isinstance(script, ScriptedEngine) else ScriptedEngine(script)
        run = open_small_run(engine)
        section = PdfCleaning(**({"enabled": True, "pdf_cleaning_chunk_size": 60} | settings))
        path = run.config.path.model_copy(update={"prompts": str(prompts) if prompts else None})
        run.config = run.config.model_copy(update={"pdf_cleaning": section, "path": path})

        async def whole() -> Document:
            async with run.stage("test"):
                return await clean_document(run, document or make_document(), count_words)

        return asyncio.run(whole()), run

    return clean_it


Clean = Callable[..., tuple[Document, Run]]


def funnel(run: Run) -> dict[str, Any]:
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))
    return dict(status["test"]["pipelines"][LABEL])


def test_a_damaged_text_is_repaired_piece_by_piece(clean: Clean) -> None:
    engine = ScriptedEngine(repair)
    document, run = clean(engine)
    assert document.text == CLEAN
    assert len(engine.requests) > 1
    assert (funnel(run)["in"], funnel(run)["kept"]) == (len(engine.requests),) * 2
    assert document.uuid == make_uuid("texts", "weir.pdf", CLEAN) != make_document().uuid


def test_a_document_that_nothing_changes_keeps_its_uuid(clean: Clean) -> None:
    text = "\n" + CLEAN.replace("\n\n", " \n\n\n") + " \n"
    document, _ = clean(shown, make_document(text, (0, 40)))
    assert document == make_document(text, (0, 40))


def one_bad_piece(
    reply: Callable[[str], str | Completion],
) -> Callable[[Request], str | Completion]:
    """Answer with `reply` where the flood is told of, and well elsewhere."""

    def script(request: Request) -> str | Completion:
        return reply(shown(request)) if "1903" in shown(request) else repair(request)

    return script


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (lambda text: text[: len(text) // 2] + " 211", "too short"),
        (lambda text: text + " They were" * 9, "too long"),
        (lambda text: Completion(text, "length", 9, 0, 9, 0.0), "truncated at max_tokens"),
        (lambda text: text.replace("211", "112"), "a number lost or added"),
        (lambda text: text.replace("in a single", "in 1 single"), "a number lost or added"),
        (lambda text: text.replace("They were not found again, ", ""), "words lost"),
        (lambda text: text.replace("two of its five gates", "old iron doors"), "words lost"),
        (lambda text: text.replace("nine years", "nine dreary years"), "words added"),
        (lambda text: " ".join(sorted(text.split())), "words moved"),
        (lambda text: "", "too short"),
    ],
)
def test_a_piece_whose_reply_strays_stays_as_it_was_and_is_counted(
    clean: Clean, reply: Callable[[str], str | Completion], reason: str
) -> None:
    def unbound(text: str) -> str | Completion:
        answer = reply(text)
        return (
            answer if isinstance(answer, Completion) else Completion(answer, "stop", 1, 0, 1, 0.0)
        )

    document, run = clean(one_bad_piece(unbound))
    first, second = document.text.split("\n\n")
    assert first == CLEAN.split("\n\n")[0]
    assert second.startswith(DAMAGED.split("\n\n")[1][:40])
    reasons = funnel(run)["reasons"]["rejected"]
    assert set(reasons) == {f"kept as it was: {reason}"}
    assert funnel(run)["in"] == funnel(run)["kept"] + sum(reasons.values())


def test_the_next_seed_is_tried_before_a_piece_is_given_up(clean: Clean) -> None:
    tried: set[str] = set()

    def script(request: Request) -> Completion:
        text = shown(request)
        again = text in tried
        tried.add(text)
        return Completion(repair(request) if again else "", "stop", 1, 0, 1, 0.0)

    document, run = clean(script)
    assert document.text == CLEAN
    assert funnel(run)["rejected"] == 0


def test_an_engine_that_fails_is_an_error_and_not_a_piece_kept_as_it_was(clean: Clean) -> None:
    def script(request: Request) -> str:
        raise EngineError("no power")

    with pytest.raises(EngineError, match="no power"):
        clean(script)


def test_a_resumed_run_asks_nothing_again_also_with_other_limits(clean: Clean) -> None:
    first, _ = clean(one_bad_piece(lambda text: text.replace("nine years", "nine dreary years")))
    again = ScriptedEngine(repair)
    second, _ = clean(again)
    assert second == first
    assert again.requests == []
    looser, _ = clean(again, most_words_added=0.1)
    assert "dreary" in looser.text
    assert again.requests == []


def test_an_edited_prompt_asks_again(clean: Clean, tmp_path: Path) -> None:
    clean(repair)
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(PROMPTS / "clean_pdf.yaml", own)
    text = (own / "clean_pdf.yaml").read_text(encoding="utf-8")
    (own / "clean_pdf.yaml").write_text(text.replace("whole text", "entire text"), encoding="utf-8")
    again = ScriptedEngine(repair)
    clean(again, prompts=own)
    assert again.requests


def test_role_and_stop_strings_are_those_of_the_section(
    open_small_run: OpenRun, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    text = (PROMPTS / "clean_pdf.yaml").read_text(encoding="utf-8")
    (own / "clean_pdf.yaml").write_text(text + "stop: [THE END]\n", encoding="utf-8")
    shutil.copy(GRAMMARS / "clean_pdf.gbnf", own)
    small, large = ScriptedEngine(repair), ScriptedEngine(repair)
    for use_stop in (None, False):
        run = open_small_run(small, large)
        section = PdfCleaning(enabled=True, role="large", pdf_cleaning_use_stop=use_stop)
        path = run.config.path.model_copy(update={"prompts": str(own)})
        run.config = run.config.model_copy(update={"pdf_cleaning": section, "path": path})

        async def whole(run: Run = run) -> None:
            async with run.stage("test"):
                await clean_document(run, make_document(), count_words)

        asyncio.run(whole())
    assert not small.requests
    assert [request.stop for request in large.requests] == [("THE END",), ()]


def test_only_pdfs_of_folders_not_cleaned_by_hand_are_asked_about(open_small_run: OpenRun) -> None:
    run = open_small_run()
    (folder,) = run.config.path.input_dirs
    by_hand = folder.model_copy(update={"name": "mine", "cleaned_by_hand": True})
    path = run.config.path.model_copy(update={"input_dirs": (folder, by_hand)})
    pdf = make_document()
    documents = [replace(pdf, path="weir.txt"), pdf, replace(pdf, directory="mine")]
    for enabled in (False, True):
        update = {"pdf_cleaning": PdfCleaning(enabled=enabled), "path": path}
        config = run.config.model_copy(update=update)
        wanted = [wants_cleaning(document, config) for document in documents]
        assert wanted == [False, enabled, False]


@pytest.fixture
def open_pdf_run(open_small_run: OpenRun, tmp_path: Path) -> Callable[..., Run]:
    """Open a run over one damaged PDF that a model is to repair."""
    (tmp_path / "texts").mkdir()
    set_with_fpdf(tmp_path / "texts" / "weir.pdf", DAMAGED.split("\n\n"))

    def open_it(engine: ScriptedEngine, **of_path: Any) -> Run:
        run = open_small_run(engine)
        section = PdfCleaning(enabled=True, pdf_cleaning_chunk_size=60)
        path = run.config.path.model_copy(update=of_path)
        run.config = run.config.model_copy(update={"pdf_cleaning": section, "path": path})
        return run

    return open_it


def read_on(run: Run) -> str:
    """The text that the documents stage goes on with."""
    return " ".join(chunk.text for chunk in asyncio.run(documents(run)).kept)


def test_later_stages_work_on_the_repaired_text(open_pdf_run: Callable[..., Run]) -> None:
    engine = ScriptedEngine(repair)
    run = open_pdf_run(engine)
    with pytest.raises(RunFolderError, match="pdf_cleaned: not there yet"):
        asyncio.run(documents(run))
    asyncio.run(clean_pdfs(run))
    asked = len(engine.requests)
    text = read_on(run)
    assert "modern" in text
    assert "rnodern" not in text
    again = open_pdf_run(engine)
    asyncio.run(clean_pdfs(again))
    assert len(engine.requests) == asked
    (file,) = (run.folder / "pdf_cleaned").glob("*.json")
    file.unlink()  # a person did not like it: the text stays as it was read
    asyncio.run(clean_pdfs(again))
    assert "rnodern" in read_on(again)


def test_nothing_is_asked_about_pdfs_before_all_files_are_readable(
    open_pdf_run: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "texts" / "zz.txt").touch()
    engine = ScriptedEngine(repair)
    with pytest.raises(InputError, match=r"zz\.txt: no text"):
        asyncio.run(clean_pdfs(open_pdf_run(engine), 1))
    assert engine.requests == []


def test_the_page_browser_shows_the_text_that_the_run_goes_on_with(
    open_pdf_run: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "texts" / "deep").mkdir()
    (tmp_path / "texts" / "weir.pdf").rename(tmp_path / "texts" / "deep" / "weir.pdf")
    run = open_pdf_run(ScriptedEngine(repair))
    asyncio.run(clean_pdfs(run))
    (line,) = asyncio.run(documents(run)).documents
    (page,) = read_pages(run.config, line)
    assert "modern" in show_page(page).source
    assert "rnodern" not in show_page(page).source


def test_a_limit_is_one_of_pieces_and_what_is_left_is_counted(
    open_pdf_run: Callable[..., Run], tmp_path: Path
) -> None:
    set_with_fpdf(tmp_path / "texts" / "ybor.pdf", [CLEAN.replace("Tolham", "Ybor")])
    engine = ScriptedEngine(repair)
    run = open_pdf_run(engine)
    assert len(asyncio.run(clean_pdfs(run, 1))) == 1
    assert len(engine.requests) == 1
    text = read_on(run)
    assert "modern" in text
    assert "Inform- ation" in text
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))
    pdfs = status["documents"]["pipelines"]["PDFs"]
    assert (pdfs["kept"], pdfs["rejected"]) == (1, 1)
    assert len(asyncio.run(clean_pdfs(run))) == 2
    assert "Inform- ation" not in read_on(run)


def test_repaired_texts_that_are_no_longer_wanted_are_not_used(
    open_pdf_run: Callable[..., Run],
) -> None:
    run = open_pdf_run(ScriptedEngine(repair))
    asyncio.run(clean_pdfs(run))
    (folder,) = run.config.path.input_dirs
    by_hand = folder.model_copy(update={"cleaned_by_hand": True})
    hands = open_pdf_run(ScriptedEngine(repair), input_dirs=(by_hand,))
    assert "rnodern" in read_on(hands)
    assert "rnodern" not in read_on(run)
    (run.folder / "live" / "pdf_cleaned.json").write_text("[]", encoding="utf-8")
    assert "rnodern" in read_on(run)


def test_a_repaired_text_that_a_person_edited_stays_so(open_pdf_run: Callable[..., Run]) -> None:
    run = open_pdf_run(ScriptedEngine(repair))
    asyncio.run(clean_pdfs(run))
    (file,) = (run.folder / "pdf_cleaned").glob("*.json")
    edited = file.read_text(encoding="utf-8").replace("brothers Ames", "sisters Ames")
    file.write_text(edited, encoding="utf-8")
    asyncio.run(clean_pdfs(run))
    assert file.read_text(encoding="utf-8") == edited
    assert "sisters Ames" in read_on(run)
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))
    assert status["pdf_cleaning"]["survivors"]["pdf_cleaned"]["edited by hand"] == 1


def test_pages_begin_in_the_repaired_text_where_they_began_before(clean: Clean) -> None:
    begins = ("The weir", "modern mill", "flood took", "years boats", "about the", "chest.")
    damaged = [begin.replace("modern", "rnodern") for begin in begins]
    pages = tuple(DAMAGED.index(begin) for begin in damaged)
    document, _ = clean(repair, make_document(pages=(*pages, len(DAMAGED))))
    places = zip(document.pages, [*begins, ""], strict=True)
    assert all(document.text[place:].startswith(begin) for place, begin in places)
    assert document.pages[-1] == len(document.text)


def test_a_page_number_may_go_where_a_page_begins_and_nowhere_else() -> None:
    text = DAMAGED.replace("took away", "took THE RIVER 118 away").replace("64 metres", "64 old")
    gone = text.replace("THE RIVER 118 ", "")
    edge = text.index("THE RIVER")
    loose = PdfCleaning(least_words_kept=0.5)
    assert find_stray(Piece("p", text, loose, (edge,)), gone) is None
    assert find_stray(Piece("p", text, loose, (0,)), gone) == "a number lost or added"
    rules = CLEAN_PDF.rules(Piece("p", text, loose, (edge,)))
    assert '("118" words)?' in rules["text"]
    assert '"64" words' in rules["text"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("in l9O5, then 1,852 or 3.5.", ["1905", "1,852", "3.5"]),
        ("H2O, O2 and a 5l can of 10l", ["2", "2", "5", "10"]),
        ("m0dern", ["0"]),
    ],
)
def test_numbers_are_read_as_they_are_meant(text: str, values: Sequence[str]) -> None:
    assert [number.value for number in find_numbers(text)] == values


def test_a_letter_that_was_taken_for_a_digit_may_become_a_letter() -> None:
    damaged = CLEAN.replace("modern", "m0dern").replace("old", "0ld").replace("two", "tw0")
    piece = Piece("p", damaged, PdfCleaning())
    assert find_stray(piece, CLEAN) is None
    assert CLEAN_PDF.narrow(GRAMMAR, piece).matches(CLEAN)


def test_the_grammar_holds_numbers_in_their_order_and_the_scripts_of_the_piece() -> None:
    grammar = CLEAN_PDF.narrow(GRAMMAR, PIECE)
    assert grammar.matches(CLEAN)
    assert grammar.matches(CLEAN.replace("Ames", "Àmes"))
    assert not grammar.matches(CLEAN.replace("64", "65"))
    assert not grammar.matches(CLEAN.replace("64 metres", "metres"))
    assert not grammar.matches(CLEAN.replace("1874", "64").replace("is 64", "is 1874"))
    assert not grammar.matches(CLEAN.replace("corn", "хлеб"))
    assert not grammar.matches(CLEAN.replace("corn", "co\u200brn"))


@settings(max_examples=20, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60).filter(str.strip))
def test_the_grammar_of_a_piece_holds_its_own_text(text: str) -> None:
    piece = Piece("p", text.strip(), PdfCleaning(), (0,))
    grammar = CLEAN_PDF.narrow(GRAMMAR, piece)
    assert grammar.matches(piece.text)
    assert find_stray(piece, piece.text) is None


def test_a_repaired_word_is_kept_and_another_word_is_not() -> None:
    same = compare_words(DAMAGED, CLEAN)
    assert (same.lost, same.added, same.moved) == (0, 0, 0)
    other = compare_words(CLEAN, CLEAN.replace("not found", "now found").replace("spring", "fall"))
    assert (other.lost, other.added) == (2, 2)
    assert compare_words("a caption. text goes on", "text goes on a caption.").moved > 0


@settings(deadline=None)
@given(st.text("ab c\n", max_size=60), st.text("ab c\n", max_size=60), st.data())
def test_moved_offsets_keep_their_order_and_lie_in_the_text(
    before: str, after: str, data: st.DataObject
) -> None:
    places = st.lists(st.integers(0, len(before)), max_size=5)
    offsets = sorted(data.draw(places))
    moved = move_offsets(before, after, offsets)
    assert list(moved) == sorted(moved)
    assert all(0 <= place <= max(len(before), len(after)) for place in moved)


def test_a_reply_may_not_begin_a_paragraph_where_the_piece_has_none() -> None:
    """Seen with a 1.5B model: it went on with how the prompt's examples end."""
    alone = Piece("p", "The weir stands at Tolham.", PdfCleaning())
    with_caption = Piece("p", "The weir Fig. 2. The weir. stands at Tolham.", PdfCleaning())
    grammars = [CLEAN_PDF.narrow(GRAMMAR, piece) for piece in (alone, with_caption)]
    assert not grammars[0].matches("The weir stands at Tolham.\n\nFig.")
    assert grammars[1].matches("The weir stands at Tolham.\n\nFig. 2. The weir.")


def test_lines_of_marks_at_the_end_are_cut_off() -> None:
    piece = Piece("p", "Fig. of the weir.\nIt stands.", PdfCleaning())
    assert CLEAN_PDF.parse(piece, "Fig. of the weir.\nIt stands.\n\n- [   ]") == piece.text
