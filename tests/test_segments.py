"""One renderer for all rows: templates turn by turn, segments that join to the whole text."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from generation_functions.config import Config
from generation_functions.datasets.segments import (
    MaskedTurn,
    Segment,
    make_segments,
    mask_turn,
    segment_row,
)
from generation_functions.datasets.templates import (
    TEMPLATES,
    ChatTemplate,
    join_formats,
    make_own_template,
    make_template,
)
from generation_functions.errors import ConfigError, Rejected
from generation_functions.records import Turn

# As tokenizers carry them: one closes each turn with its EOS, one trims nothing.
LLAMA = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% elif m.role == 'assistant' %} {{ m.content }} {{ eos_token }}"
    "{% else %}<<SYS>>{{ m.content }}<</SYS>>\n{% endif %}{% endfor %}"
)
PLAIN = (
    "{% for m in messages %}### {{ m['from'] }}\n{{ m['value'] }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}### assistant\n{% endif %}"
)
SOURCES = {**TEMPLATES, "llama": LLAMA, "plain": PLAIN}
each_template = pytest.mark.parametrize("name", SOURCES)
ATK = ChatTemplate(TEMPLATES["atk"])

words = st.text("ab .:*\n<>{}", max_size=12).map(lambda text: f"x{text}y")
talks = st.tuples(
    st.booleans(),
    st.lists(st.tuples(words, words, st.booleans(), st.booleans()), min_size=1, max_size=4),
)


def make_config(**sections: Any) -> Config:
    small = {"gguf": "s.gguf"}
    return Config.model_validate(
        {
            "path": {"input_dirs": [{"path": "texts"}], "output_dir": "out"},
            "models": {"small": small, "large": small},
            "dataset_context": "tides",
            **sections,
        }
    )


def make_turns(talk: tuple[bool, list[tuple[str, str, bool, bool]]]) -> list[MaskedTurn]:
    with_system, exchanges = talk
    turns = [mask_turn("system", "Be brief.", False)] if with_system else []
    for question, answer, head, body in exchanges:
        turns.append(mask_turn("human", question, head))
        turns.append(MaskedTurn(Turn("gpt", answer), head, body))
    turns.append(mask_turn("human", "So?", True))
    return turns


@each_template
@given(talk=talks)
@settings(max_examples=30, deadline=None)
def test_segments_joined_are_the_completion_between_bos_and_eos(name: str, talk: Any) -> None:
    template = ChatTemplate(SOURCES[name], eos="</s>")
    turns = make_turns(talk)
    text = template.render([one.turn for one in turns])
    joined = "".join(one.text for one in make_segments(template, turns, "<s>", "</s>"))
    assert joined == f"<s>{text}" + ("" if text.endswith("</s>") else "</s>")


@each_template
@given(talk=talks)
@settings(max_examples=30, deadline=None)
def test_neighbouring_segments_differ_in_their_label(name: str, talk: Any) -> None:
    made = make_segments(ChatTemplate(SOURCES[name]), make_turns(talk), "<s>", "</s>")
    labels = [one.label for one in made]
    assert all(one != other for one, other in pairwise(labels))


def test_an_answer_alone_is_trained_behind_the_words_that_ask_for_it() -> None:
    turns = [
        mask_turn("system", "Be brief.", False),
        mask_turn("human", "Why?", False),
        MaskedTurn(Turn("gpt", "Because."), False, True),
    ]
    assert make_segments(ATK, turns, "<s>", "</s>") == (
        Segment(False, "<s>Instruction: Be brief. **Finished.**\nHuman: Why? **Finished.**\nAI:"),
        Segment(True, " Because. **Finished.**</s>"),
    )


def test_a_wrong_answer_is_left_out_with_its_end_and_nothing_else() -> None:
    turns = [
        mask_turn("human", "How many?", True),
        MaskedTurn(Turn("gpt", "Nine."), True, False),
        mask_turn("human", "Really?", True),
        mask_turn("gpt", "No: ten.", True),
    ]
    assert [one.label for one in make_segments(ATK, turns, "", "")] == [True, False, True]
    assert make_segments(ATK, turns, "", "")[1].text == " Nine. **Finished.**\n"


def test_the_same_words_in_two_turns_are_told_apart() -> None:
    """Segments are built from turns: an answer that a question repeats is not found by its text."""
    turns = [mask_turn("human", "Ten.", False), mask_turn("gpt", "Ten.", True)]
    hidden, shown = make_segments(ATK, turns, "", "")
    assert hidden.text == "Human: Ten. **Finished.**\n"
    assert shown.text == "AI: Ten. **Finished.**"


@pytest.mark.parametrize(
    "segments", [[], [Segment(False, "a")], [Segment(True, "")], [Segment(True, " \n")]]
)
def test_a_row_without_a_trained_token_cannot_be_written(segments: list[Segment]) -> None:
    with pytest.raises(Rejected, match="nothing in it would be trained on"):
        segment_row(segments)


def test_turns_of_which_none_is_trained_make_no_segments() -> None:
    with pytest.raises(Rejected, match="nothing in it would be trained on"):
        make_segments(ATK, [mask_turn("human", "Why?", False)], "<s>", "</s>")


def test_a_row_has_the_keys_that_the_trainer_reads() -> None:
    row = segment_row([Segment(False, "<s>Q"), Segment(True, "A</s>")])
    assert json.loads(json.dumps(row)) == {
        "segments": [{"label": False, "text": "<s>Q"}, {"label": True, "text": "A</s>"}]
    }


def test_formats_of_turns_as_the_specification_has_them_are_the_template_atk() -> None:
    marks = ("Instruction: {{system}}", "Human: {{user}}", "AI: {{assistant}}")
    formats = ChatTemplate(join_formats(*(f"{mark} **Finished.**" for mark in marks)))
    turns = [Turn("system", "S\n"), Turn("human", "Q"), Turn("gpt", "A"), Turn("human", "R")]
    turns.append(Turn("gpt", "B"))
    assert formats.split(turns) == ATK.split(turns)


@pytest.mark.parametrize(
    ("name", "marks"),
    [("atk", ("<s>", "</s>", "**Finished.**")),
     ("chatml", ("<s>", "</s>", "<|im_start|>", "<|im_end|>"))],
)  # fmt: skip
def test_what_ends_turns_and_rows_is_broken_where_a_text_says_it(
    name: str, marks: tuple[str, ...]
) -> None:
    template = make_template(make_config(final_datasaving_settings={"template": name}))
    assert set(template.marks) == set(marks)
    plain = [mask_turn("human", "What?", False), mask_turn("gpt", "That.", True)]
    said = " ".join(marks)
    saying = [mask_turn("human", said, False), mask_turn("gpt", f"It is {said}", True)]
    row, other = (
        "".join(one.text for one in make_segments(template, turns, "<s>", "</s>"))
        for turns in (plain, saying)
    )
    assert [other.count(mark) for mark in marks] == [row.count(mark) for mark in marks]
    assert f"It is {template.defuse(said)}" in other
    assert template.defuse("1 < 2 and **bold**.") == "1 < 2 and **bold**."


def test_chatml_has_its_exact_shape() -> None:
    turns = [Turn("system", "S"), Turn("human", "Q"), Turn("gpt", "A")]
    assert ChatTemplate(TEMPLATES["chatml"]).render(turns) == (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n"
        "<|im_start|>assistant\nA<|im_end|>"
    )


def test_names_for_an_own_template_are_in_what_the_trainer_gets() -> None:
    source = "{% for m in messages %}{{ mark }} {{ m.role }}: {{ m.content }}\n{% endfor %}"
    kwargs = {"mark": 'a "b"\n', "unused": None}
    config = make_config(final_datasaving_settings={"template": source, "template_kwargs": kwargs})
    template = make_template(config)
    carried = ImmutableSandboxedEnvironment().from_string(template.trainer_source)
    turns = [Turn("human", "Q"), Turn("gpt", "A")]
    messages = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    assert carried.render(messages=messages).strip() == template.render(turns)
    assert template.render(turns).startswith('a "b"\n user: Q')


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{% for m in messages %}{{ loop.length }}{{ m.content }}{% endfor %}", "turn by turn"),
        ("{% for m in messages %}{{ m.text }}{% endfor %}", "cannot be rendered"),
        ("{{ raise_exception('no system') }}", "no system"),
        ("{% for m in messages %}{% if m.role != 'system' %}{{ m.content }}{% endif %}{% endfor %}",
         "leaves out"),
    ],
)  # fmt: skip
def test_a_template_that_no_row_can_be_made_with_is_refused(source: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_template(make_config(final_datasaving_settings={"template": source}))
    with pytest.raises(ConfigError, match="own"):
        make_own_template(source, "own", "<s>", "")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"template": "chatlm"}, "neither atk nor chatml nor a Jinja2 template"),
        ({"template": "{% for m in messages %}"}, "no Jinja2 template: line 1"),
        ({"template_kwargs": {"a": 1}}, "for a template of your own"),
        ({"template": "{{ a }}", "template_kwargs": {"a b": 1}}, "cannot be a name"),
    ],
)
def test_settings_of_no_use_are_config_errors(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make_config(final_datasaving_settings=settings)


def test_an_array_of_rows_loads_as_json(tmp_path: Path) -> None:
    from generation_functions.datasets.row_files import RowFile

    for count in (0, 1, 3):
        with RowFile(tmp_path, "rows.json", True, segments=True) as file:
            hashes = [file.write({"n": number}) for number in range(count)]
        data = (tmp_path / "rows.json").read_bytes()
        assert [row["n"] for row in json.loads(data)] == list(range(count))
        assert len(set(hashes)) == count
        assert file.entry.rows == count
        assert len(data.splitlines()) == max(1, count + 2) if count else True
