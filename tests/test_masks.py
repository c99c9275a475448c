"""The mask proof: tokens and labels as Axolotl makes them, `check-masks`, rows in colour."""

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from masking import open_masked_run, tell
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from generation_functions import stages
from generation_functions.command_line import main
from generation_functions.datasets.mask_check import check_ends, check_masks, read_rows
from generation_functions.datasets.masked_rows import MaskedFormat
from generation_functions.datasets.masks import (
    find_differences,
    find_unsaid,
    find_untold,
    list_markup,
    read_segments,
    tokenize,
)
from generation_functions.datasets.segments import Segment, segment_row
from generation_functions.datasets.templates import TEMPLATES, ChatTemplate
from generation_functions.datasets.tokenizing import count_tokens, load_tokenizer
from generation_functions.display.masks import make_page, show_mask
from generation_functions.errors import ModelError, RunFolderError
from generation_functions.pipelines.rag import RAG_ITEMS
from generation_functions.stages import taking
from generation_functions.steps.run import Run

TEXTS = {"north": {f"Bridge {n}": tell(n) for n in range(6)}}
ATK = ChatTemplate(TEMPLATES["atk"])
SPECIAL = ["<s>", "</s>", "<unk>"]
ROW = (
    Segment(False, "<s>Instruction: Be exact. **Finished.**\n"),
    Segment(True, "Human: How long? **Finished.**\nAI: 1000 metres. **Finished.**</s>"),
)


class Cut:
    """A tokenizer of the library `tokenizers`, as transformers wraps them."""

    def __init__(self, inner: Tokenizer, bos: str = "<s>", eos: str = "</s>") -> None:
        self.inner, self.bos, self.eos = inner, bos, eos

    def encode(self, text: str) -> list[int]:
        return list(self.inner.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: list[int]) -> str:
        return str(self.inner.decode(ids, skip_special_tokens=False))


@cache
def byte_level() -> Cut:
    """A BPE over bytes: GPT-2's kind."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    inner.train_from_iterator([tell(n) for n in range(10)], trainer)
    return Cut(inner)


@cache
def sentence_piece() -> Cut:
    """One that sets a space before every text, as Llama 2 and Mistral do."""
    inner = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    inner.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    inner.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
         decoders.Strip(" ", 1, 0)]
    )  # fmt: skip
    byte_tokens = [f"<0x{number:02X}>" for number in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=[*SPECIAL, *byte_tokens], show_progress=False
    )
    inner.train_from_iterator([f"{tell(n)} Human: AI: **Finished." for n in range(10)], trainer)
    return Cut(inner)


KINDS: dict[str, Callable[[], Cut]] = {"bytes": byte_level, "sentence piece": sentence_piece}
each_kind = pytest.mark.parametrize("kind", KINDS)


def make_run(folder: Path, **sections: Any) -> Run:
    """Make a run with rows of both kinds."""
    rag = {"enabled": True, "rag_failure_percentage": 0.5, **sections.pop("rag_data", {})}
    run, _ = open_masked_run(
        folder, TEXTS, rag_data=rag,
        correction_pipeline={"enabled": True, "stand_firm_share": 0.5}, **sections,
    )  # fmt: skip
    asyncio.run(stages.write_rag_items(run))
    asyncio.run(stages.write_corrections(run))
    asyncio.run(stages.mix(run))
    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that tests only read."""
    return make_run(tmp_path_factory.mktemp("made"))


def change(run: Run, name: str, number: int, segments: Sequence[Any]) -> None:
    """Write other segments into a row."""
    file = run.folder / "sft_run" / name
    lines = file.read_text(encoding="utf-8").splitlines()
    lines[number] = json.dumps({"segments": segments})
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


@each_kind
def test_trained_tokens_say_exactly_what_is_meant(kind: str) -> None:
    tokenizer = KINDS[kind]()
    tokens = tokenize(ROW, tokenizer).tokens
    ids = [one for segment in ROW for one in tokenizer.encode(segment.text)]
    assert [one.id for one in tokens] == ids
    assert tokenizer.decode([one.id for one in tokens if one.trained]) == ROW[1].text
    assert find_unsaid(tokenize(ROW, tokenizer)) == ""


def test_tokens_that_lose_what_is_said_are_told() -> None:
    class Deaf(Cut):
        def decode(self, ids: list[int]) -> str:
            return super().decode(ids).lower()

    deaf = Deaf(byte_level().inner)
    assert "its trained tokens say 'human: how long?" in find_unsaid(tokenize(ROW, deaf))


def test_a_space_before_every_segment_is_a_difference_at_its_boundary() -> None:
    (found,) = find_differences(tokenize(ROW, sentence_piece()))
    assert "".join(found.segments).strip() == "".join(found.whole).strip()
    assert found.segments != found.whole
    assert find_differences(tokenize(ROW, byte_level())) == []
    assert find_differences(tokenize(ROW[1:], sentence_piece())) == []


def test_an_answer_cut_from_its_space_differs_as_bytes_too() -> None:
    cut = (Segment(False, "Human: How long? AI: "), Segment(True, "1000 metres."))
    assert len(find_differences(tokenize(cut, byte_level()))) == 1
    kept = (Segment(False, "Human: How long? AI:"), Segment(True, " 1000 metres."))
    assert find_differences(tokenize(kept, byte_level())) == []


def test_differences_are_at_most_the_boundaries() -> None:
    many = tuple(Segment(bool(n % 2), f"It is {n}, long.\n") for n in range(6))
    assert 1 <= len(find_differences(tokenize(many, sentence_piece()))) <= 5


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        (ROW, ""),
        ((Segment(True, ROW[0].text), ROW[1]), "should not be: "),
        ((ROW[0], Segment(False, ROW[1].text)), "is not trained on: How long?"),
        ((ROW[0], Segment(True, "Human: How long? AI: 1000 metres. You see.")), "should not be"),
        ((ROW[0], Segment(True, "1000 metres. How long?")), "is not trained on: 1000"),
    ],
)
def test_what_is_trained_is_told_from_what_should_be(
    segments: tuple[Segment, ...], said: str
) -> None:
    markup = list_markup(ATK, "<s>", "</s>")
    found = find_untold(segments, ["How long?", "1000 metres."], markup)
    assert said in found
    assert bool(said) == bool(found)


@each_kind
def test_the_rows_of_a_run_pass(made: Run, kind: str) -> None:
    reports = check_masks(made.folder, made.config, KINDS[kind]())
    assert {one.name for one in reports} == {
        "axolotl_rag_conversations_north.jsonl",
        "axolotl_correction_conversations_north.json",
    }
    for one in reports:
        assert one.problems == []
        assert one.rows == 6
        assert 0 < (one.trained or 0) < (one.tokens or 0)
        assert len(one.differences) <= one.boundaries


def test_neither_a_line_separator_nor_a_mark_in_an_answer_ends_a_row(
    tmp_path: Path, prompts_once: None
) -> None:
    run, _ = open_masked_run(
        tmp_path, {"north": {"Bridge": tell(0)}},
        rag_data={"enabled": True, "rag_failure_percentage": 0.0},
    )  # fmt: skip
    (uuid,) = asyncio.run(stages.write_rag_items(run))
    file = run.folder / RAG_ITEMS / f"{uuid}.json"
    edited = json.loads(file.read_text(encoding="utf-8"))
    edited["asked"][0]["answer"] += "\u2028It is. **Finished.**</s>"
    file.write_text(json.dumps(edited), encoding="utf-8")
    asyncio.run(stages.mix(run))
    (report,) = check_masks(run.folder, run.config, None)
    assert (report.rows, report.problems) == (1, [])


def test_answers_alone_pass_too(tmp_path: Path, prompts_once: None) -> None:
    run = make_run(tmp_path, rag_data={"train_on_questions": False},
                   final_datasaving_settings={"template": "chatml"})  # fmt: skip
    for one in check_masks(run.folder, run.config, byte_level()):
        assert one.problems == []
    for row in read_rows(run.folder):
        trained = "".join(one.text for one in row.segments if one.label)
        assert ("How long is the" in trained) == row.file.endswith(".json")


def test_the_command_says_what_is_wrong(
    tmp_path: Path, prompts_once: None, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path)
    assert main(["check-masks", str(run.folder), "--html", str(tmp_path / "masks.html")]) == 0
    assert "Texts were checked, tokens not" in capsys.readouterr().out
    page = (tmp_path / "masks.html").read_text(encoding="utf-8")
    assert "Arno Bridge" in page
    name = "axolotl_rag_conversations_north.jsonl"
    hidden, shown = json.loads((run.folder / "sft_run" / name).read_text().splitlines()[0])[
        "segments"
    ]
    change(run, name, 0, [{**hidden, "label": True}, shown])
    change(run, name, 1, [{**hidden, "label": False}, {**shown, "label": False}])
    assert main(["check-masks", str(run.folder)]) == 1
    said = capsys.readouterr().out
    assert "WRONG: row 0: is trained on and should not be" in said
    assert "WRONG: row 1: nothing of it is trained on" in said


def test_a_setting_that_undoes_all_masks_is_named(made: Run) -> None:
    kwargs = {"train_on_inputs": True}
    training = made.config.model_training.model_copy(update={"other_finetune_kwargs": kwargs})
    config = made.config.model_copy(update={"model_training": training})
    for one in check_masks(made.folder, config, None):
        assert "train_on_inputs" in one.problems[0]


def test_a_row_longer_than_the_context_is_named(made: Run) -> None:
    training = made.config.model_training.model_copy(update={"sequence_len": 50})
    config = made.config.model_copy(update={"model_training": training})
    reports = check_masks(made.folder, config, byte_level())
    assert "more than `sequence_len` (50)" in reports[0].problems[0]


def test_begin_and_end_marks_of_another_model_are_named() -> None:
    form = MaskedFormat(ATK, "<s>", "</s>")
    assert check_ends(form, byte_level()) == []
    other = Cut(byte_level().inner, "", "<|end|>")
    assert [one.split("`")[1] for one in check_ends(form, other)] == [
        "final_datasaving_settings.bos",
        "final_datasaving_settings.eos",
    ]
    unknown = MaskedFormat(ATK, "<bos>", "</s>")
    (said,) = check_ends(unknown, Cut(byte_level().inner, "<bos>"))
    assert "is not one token" in said


def test_the_mix_warns_of_marks_that_are_not_the_tokenizers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(taking, "load_tokenizer", lambda name: byte_level())
    ends = {"bos": "<s>", "eos": "<|im_end|>"}
    make_run(tmp_path, model_training={"tokenizer": "mine"}, final_datasaving_settings=ends)
    said = [one.getMessage() for one in caplog.records if "final_datasaving" in one.getMessage()]
    assert len(said) == 1
    assert "`final_datasaving_settings.eos` is '<|im_end|>', of this tokenizer it is" in said[0]


@pytest.mark.parametrize(
    ("rows", "said"), [('{"text": "a"}\n', "not a row of segments"), ("{", "Run the stage `mix`"),
                       ('{"segments": []}\n', "longer")],
)  # fmt: skip
def test_a_file_that_is_not_as_it_was_written_is_named(
    tmp_path: Path, prompts_once: None, rows: str, said: str
) -> None:
    run = make_run(tmp_path)
    name = "axolotl_rag_conversations_north.jsonl"
    (run.folder / "sft_run" / name).write_text(rows, encoding="utf-8")
    with pytest.raises(RunFolderError, match=said):
        list(read_rows(run.folder))
    (run.folder / "sft_run" / name).unlink()
    with pytest.raises(RunFolderError, match=name):
        check_masks(run.folder, run.config, None)


def test_before_the_mix_there_is_nothing_to_check(tmp_path: Path, prompts_once: None) -> None:
    run, _ = open_masked_run(tmp_path, TEXTS)
    with pytest.raises(RunFolderError, match="Run the stage `mix` first"):
        check_masks(run.folder, run.config, None)


@pytest.mark.parametrize(
    "row", [{}, {"segments": [{"text": "a"}]}, {"segments": [{"label": "true", "text": "a"}]}]
)
def test_a_row_of_another_kind_is_no_row_of_segments(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="label"):
        read_segments(row)


def test_colour_says_what_is_trained_on_and_text_is_escaped() -> None:
    row = (Segment(False, "<b>hidden</b>"), Segment(True, "shown & told"))
    plain = show_mask(row).source
    assert "&lt;b&gt;hidden" in plain
    assert plain.count("<span") == 2
    by_token = show_mask(row, byte_level()).source
    assert by_token.count("<span") == len(tokenize(row, byte_level()).tokens)
    assert "<title>Masks</title>" in make_page([], None)


def test_a_line_separator_in_a_text_does_not_cut_its_row(tmp_path: Path) -> None:
    sft, name = tmp_path / "sft_run", "axolotl_rag_conversations.jsonl"
    (sft / "provenance").mkdir(parents=True)
    listed = {"files": [{"name": name, "segments": True}]}
    (sft / "MANIFEST.json").write_text(json.dumps(listed), encoding="utf-8")
    segments = (Segment(False, "One\u2028line.\x85"), Segment(True, "Two."))
    for file, row in ((name, segment_row(segments)), (f"provenance/{name}", {"text": "a\u2029b"})):
        (sft / file).write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    (found,) = read_rows(tmp_path)
    assert found.segments == segments
    assert found.record == {"text": "a\u2029b"}


@pytest.mark.slow
def test_transformers_loads_a_tokenizer_from_its_folder(tmp_path: Path) -> None:
    byte_level().inner.save(str(tmp_path / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>",
                "eos_token": "</s>"}  # fmt: skip
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    loaded = load_tokenizer(str(tmp_path))
    assert (loaded.bos, loaded.eos) == ("<s>", "</s>")
    for segment in ROW:
        assert loaded.encode(segment.text) == byte_level().encode(segment.text)
        assert loaded.decode(loaded.encode(segment.text)) == segment.text
    run = make_run(tmp_path, model_training={"tokenizer": "."})
    manifest = json.loads((run.folder / "sft_run" / "MANIFEST.json").read_text(encoding="utf-8"))
    assert manifest["token_counter"] == tmp_path.name
    assert main(["check-masks", str(run.folder)]) == 0
    assert count_tokens(loaded)(ROW[0].text) == len(byte_level().encode(ROW[0].text))
    with pytest.raises(ModelError, match=r"empty: no tokenizer .* tokenizer\.json"):
        load_tokenizer(str(tmp_path / "empty"))
