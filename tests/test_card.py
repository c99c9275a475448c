"""The dataset card: every number in it is from the run's records."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from gguf_files import shape_llama, write_gguf
from scripted_run import friendly_reply

from generation_functions.card.describe import describe
from generation_functions.card.facts import CardFacts, ModelUse
from generation_functions.card.front_matter import name_licence, name_size, write_front_matter
from generation_functions.card.gather import CARD, gather_facts
from generation_functions.card.switched_off import list_switched_off
from generation_functions.command_line import main
from generation_functions.config import Config
from generation_functions.datasets.balance import Part, aim_generic, draw_up
from generation_functions.datasets.manifest import FolderManifest, Manifest
from generation_functions.datasets.row_files import FileEntry
from generation_functions.engine.gguf import read_model
from generation_functions.engine.model_facts import describe_model
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.pipelines.coverage import DocumentEntry
from generation_functions.stages import STAGES
from generation_functions.steps.run import Run

OpenRun = Callable[..., Run]
MADE = ("documents", "questions", "characters", "conversations", "mix")


def run_all(run: Run, *names: str) -> Run:
    async def act() -> None:
        for name in names or MADE:
            await STAGES[name](run, None)

    asyncio.run(act())
    return run


def make_manifest() -> Manifest:
    def folder(*files: FileEntry) -> FolderManifest:
        config = FileEntry("config.yaml", None, None, "2" * 64, False)
        return FolderManifest(
            launch="train",
            merge="",
            axolotl="0",
            token_counter="words",
            token_counter_note="",
            checks="By code.",
            rows=3,
            tokens=50,
            sequence_len=500,
            longer=0,
            gpus=1,
            effective_batch=150,
            tokens_per_epoch=50,
            optimizer_steps=1,
            advice="",
            files=(*files, config),
        )

    def entry(name: str, **kind: bool) -> FileEntry:
        return FileEntry(name, 3, 50, "0" * 64, True, **kind)

    sft = (entry("talks.jsonl"), entry("rag.jsonl", segments=True), entry("chat.jsonl", chat=True))
    return Manifest(folder(entry("chunks.jsonl")), folder(*sft))


def make_facts(**changes: Any) -> CardFacts:
    facts = CardFacts(
        run="first",
        subject="Bridges",
        version="1.2",
        seed=7,
        manifest=make_manifest(),
        sources=None,
        generic=(),
        models=(),
        prompts=(),
        yields=(),
        judges=None,
        judge_warnings=(),
        coverage=None,
        repeats=(),
        leaks=None,
        unfinished=(),
        off=(),
        not_made=(),
    )
    return replace(facts, **changes)


def source(licence: str = "", language: str = "english", title: str = "A text") -> DocumentEntry:
    return DocumentEntry("u", "texts", "a.txt", title, 1000, language, licence)


def read_head(card: str) -> Any:
    return yaml.safe_load(card.split("---\n")[1])


def cut_section(card: str, heading: str) -> str:
    return card.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_a_runs_card_says_what_its_records_say(open_small_run: OpenRun, tmp_path: Path) -> None:
    engine = ScriptedEngine(friendly_reply)
    run = open_small_run(engine, questions={"planted_pairs": 4})
    note = "The Kelvin Bridge, by A. Mason, published 1970.meta.yaml"
    (tmp_path / "texts" / note).write_text("licence: CC BY-SA 4.0\n", encoding="utf-8")
    run_all(run)
    card = (run.folder / CARD).read_text(encoding="utf-8")
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))

    assert "The Kelvin Bridge, by A. Mason, published 1970 | texts | english | CC BY-SA 4.0" in card
    calls = sum(
        map(int, re.findall(r"\| (\d+) \|$", cut_section(card, "Prompts and grammars"), re.M))
    )
    assert calls == len(engine.requests)
    assert f"| {calls} | `scripted` |" in cut_section(card, "Models")
    for row in re.findall(r"^\| (\w+) \| ([^|]+) \| (\d+) \| (\d+) \|", card, re.MULTILINE):
        stage, name, taken, kept = row
        parts = status[stage]
        counts = (parts["pipelines"] | parts["steps"] | parts["apart"])[name]
        assert (counts["in"], counts["kept"]) == (int(taken), int(kept))
    assert "mix | mixed" in card
    prompts = re.findall(r"\| (\w+) \| `(\w{16})` \| `\w{16}`", card)
    assert all((run.folder / step / "prompts" / f"{one}.json").exists() for step, one in prompts)
    assert "| check_question | both | 0 of 2: 0% (0 to 66)" in cut_section(card, "Judges")
    assert str(tmp_path) not in card


def test_each_training_folder_has_the_card_with_its_own_files(open_small_run: OpenRun) -> None:
    run = run_all(open_small_run(ScriptedEngine(friendly_reply)))
    for folder in ("pretraining_run", "sft_run"):
        text = (run.folder / folder / "DATASET_CARD.md").read_text(encoding="utf-8")
        (config,) = read_head(text)["configs"]
        assert config["config_name"] == folder.removesuffix("_run")
        paths = config["data_files"][0]["path"]
        assert paths
        assert all((run.folder / folder / one).is_file() for one in paths)
        listed = json.loads((run.folder / folder / "MANIFEST.json").read_text(encoding="utf-8"))
        assert "DATASET_CARD.md" in [one["name"] for one in listed["files"]]
    both = read_head((run.folder / CARD).read_text(encoding="utf-8"))["configs"]
    assert all((run.folder / one).is_file() for c in both for one in c["data_files"][0]["path"])


def test_a_second_mix_writes_the_same_card(open_small_run: OpenRun) -> None:
    run = run_all(open_small_run(ScriptedEngine(friendly_reply)))
    first = (run.folder / CARD).read_bytes()
    silent = ScriptedEngine(friendly_reply)
    run_all(open_small_run(silent))
    assert (run.folder / CARD).read_bytes() == first
    assert silent.requests == []


def test_what_is_not_in_the_records_is_not_measured(tmp_path: Path) -> None:
    config = Config.model_validate(
        {
            "path": {"input_dirs": [{"path": "texts"}], "output_dir": "run"},
            "models": {"small": {"gguf": "a.gguf"}, "large": {"gguf": "a.gguf"}},
            "dataset_context": "Bridges",
        }
    )
    card = describe(gather_facts(tmp_path, config, {}, make_manifest()))
    for heading in ("Sources", "Models", "Prompts and grammars", "Yields", "Judges", "Coverage"):
        assert cut_section(card, heading).strip() == "Not measured."
    assert "chunks: not measured" in card
    assert "shares with an exam: not measured" in card
    assert "no pairs were planted" in card


def make_part(**changes: Any) -> dict[str, Any]:
    """Return a stage's part of status.json with one pipeline."""
    counts = {"in": 5, "kept": 5, "rejected": 0, "failed": 0, "new_calls": 0, "replayed_calls": 0}
    pipelines = {"files": counts | {"reasons": changes.pop("reasons", {})}}
    part = {"pipelines": pipelines, "steps": {}, "apart": {}, "findings": {}}
    return part | {"limit": None, "stopped": "", "complete": True} | changes


def test_stages_that_are_off_now_tell_nothing(open_small_run: OpenRun) -> None:
    run = open_small_run(ScriptedEngine())
    status = {"rag": make_part(), "questions": make_part(limit=3)}
    facts = gather_facts(run.folder, run.config, status, make_manifest())
    assert [one.stage for one in facts.yields] == ["questions"]
    assert facts.unfinished == ("**The stage questions took only 3 chunks or pieces.**",)


def test_reasons_name_folders_and_not_places_on_the_disk(open_small_run: OpenRun) -> None:
    run = open_small_run(ScriptedEngine())
    folder = run.config.path.input_dirs[0].path
    status = {"documents": make_part(reasons={"rejected": {f"{folder}/broken.pdf: damaged": 1}})}
    facts = gather_facts(run.folder, run.config, status, make_manifest())
    assert facts.yields[0].reasons == (("texts/broken.pdf: damaged", 1),)


def test_switched_off_checks_are_named() -> None:
    config = Config.model_validate(
        {
            "path": {
                "input_dirs": [{"path": "a", "name": "mine", "cleaned_by_hand": True}],
                "output_dir": "run",
            },
            "models": {"small": {"gguf": "a.gguf"}, "large": {"gguf": "a.gguf"}},
            "dataset_context": "Bridges",
            "system": {"skip_filter_chunks": True, "use_subset": True, "subset_size": 9},
            "questions": {"double_check_counter": 0},
            "factual_sft": {
                "vague": {"skip_answer_accuracy_check": True, "multi_source": False},
                "openended": {"skip_answer_accuracy_check": True},
                "negative": {},
            },
        }
    )
    said = " ".join(list_switched_off(config))
    for word in ("skip_filter_chunks", "double_check_counter: 0", "mine", "only 9"):
        assert word in said
    assert "left out: of vague and openended the check of its accuracy." in said
    assert "no related chunk was shown to vague." in said
    assert "drop_duplicates" not in said


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("", "unknown"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/", "cc-by-nc-sa-3.0"),
        ("CC0 1.0 Universal", "cc0-1.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        ("MIT", "mit"),
        ("Apache 2.0", "apache-2.0"),
        ("All rights reserved", "other"),
    ],
)
def test_licences_get_the_hubs_names(stated: str, name: str) -> None:
    assert name_licence(stated) == name


def test_the_head_is_what_the_hub_reads() -> None:
    sources = (source("CC BY 4.0"), source("", "de-DE"), source("", "??"))
    head = read_head(write_front_matter(make_facts(sources=sources)))
    assert head["license"] == ["cc-by-4.0", "unknown"]
    assert head["language"] == ["de", "en"]
    assert head["size_categories"] == ["n<1K"]
    names = {one["config_name"]: one["data_files"][0]["path"] for one in head["configs"]}
    assert names == {
        "pretraining": ["pretraining_run/chunks.jsonl"],
        "sft": ["sft_run/talks.jsonl"],
        "sft_chat": ["sft_run/chat.jsonl"],
        "sft_segments": ["sft_run/rag.jsonl"],
    }
    assert "language" not in read_head(write_front_matter(make_facts()))
    other = read_head(write_front_matter(make_facts(sources=(source("Ours"),))))
    assert (other["license"], other["license_name"]) == ("other", "as-the-sources-state")


@pytest.mark.parametrize(
    ("rows", "size"), [(0, "n<1K"), (1000, "1K<n<10K"), (5_000_000, "1M<n<10M")]
)
def test_sizes_are_the_hubs_ranges(rows: int, size: str) -> None:
    assert name_size(rows) == size


def test_a_cell_stays_a_cell_and_long_tables_say_how_much_more(tmp_path: Path) -> None:
    many = tuple(source(title=f"A | text\nof two lines {number}") for number in range(43))
    text = cut_section(describe(make_facts(sources=many)), "Sources")
    assert "| A \\| text of two lines 0 | texts |" in text
    assert "And 3 more." in text
    assert "Documents: 43, with 43,000 characters. Without a stated licence: 43." in text


def test_what_was_mixed_in_is_named_with_its_share() -> None:
    parts = (
        Part("domain", 8, 300),
        Part("chats", 2, 100, aim_generic(300, [50], 0)[0], "all gone"),
    )
    manifest = make_manifest()
    sft = replace(manifest.sft, balance=draw_up(parts))
    sources = (source("CC BY 4.0"),)
    facts = make_facts(manifest=replace(manifest, sft=sft), generic=("a/chats",), sources=sources)
    card = describe(facts)
    assert "| chats | 2 | 100 | 25.0 % | 150 | all gone |" in card
    assert "Also mixed in: a/chats." in cut_section(card, "Sources")
    assert read_head(card)["license"] == ["cc-by-4.0", "unknown"]


def test_what_an_exam_shares_with_the_data_is_told_once_that_was_looked_for(
    open_small_run: OpenRun,
) -> None:
    run = run_all(open_small_run(ScriptedEngine(friendly_reply)))
    file = run.folder / "status.json"
    status = json.loads(file.read_text(encoding="utf-8"))
    found = {"leaks": {"held out": {"written": 9, "dropped": 2}}}
    status["exam"] = make_part(findings=found)
    file.write_text(json.dumps(status), encoding="utf-8")
    config = yaml.safe_load((run.folder / "config.yaml").read_text(encoding="utf-8"))
    config["exam"]["enabled"] = True
    (run.folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    before = (run.folder / CARD).read_text(encoding="utf-8")
    assert "text that the data shares with an exam: not measured" in before
    assert main(["card", str(run.folder)]) == 0
    after = (run.folder / CARD).read_text(encoding="utf-8")
    assert "questions of the exam, held out: written: 9; dropped: 2." in after
    assert cut_section(after, "What is in it") == cut_section(before, "What is in it")
    run_all(run, "mix")
    assert (run.folder / CARD).read_text(encoding="utf-8") == before


def test_before_the_mix_there_is_no_card(
    open_small_run: OpenRun, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_all(open_small_run(ScriptedEngine()), "documents")
    assert main(["card", str(run.folder)]) == 1
    assert "Run the stage `mix`" in capsys.readouterr().err


def test_models_are_told_by_their_header(tmp_path: Path) -> None:
    entries = {"general.name": "Tiny", "general.file_type": 15, "general.license": "mit"}
    write_gguf(tmp_path / "a.gguf", shape_llama({}) | entries, {"token_embd.weight": 640})
    facts = describe_model(read_model(tmp_path / "a.gguf"))
    assert (facts.file, facts.name, facts.architecture) == ("a.gguf", "Tiny", "llama")
    assert (facts.quantisation, facts.licence, facts.parameters) == ("Q4_K_M", "mit", 640)
    used = ModelUse(facts, ("judge_chunk",), 12)
    text = cut_section(describe(make_facts(models=(used,))), "Models")
    assert (
        f"| a.gguf | Tiny, llama | Q4_K_M | 640 | 0 MB | mit | 12 | `{facts.fingerprint}` |" in text
    )
