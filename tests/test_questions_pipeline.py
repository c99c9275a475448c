"""Every road from a chunk to its pairs, with scripted replies.

W1 to W25 are the faults of the original program that a test keeps out.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import OpenRun

from generation_functions import stages
from generation_functions.datasets.checks import describe_checks
from generation_functions.engine.protocol import Completion, Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ConfigError, EngineCrash, PromptTooLong
from generation_functions.pipelines.questions import REJECTED_PAIRS, RejectedPair
from generation_functions.records import QAPair
from generation_functions.steps.prompts import load_prompt
from generation_functions.steps.run import Run

ARNO = """\
The Arno Bridge was opened on 4 May 1931 after six years of work. It is 812 metres long and stands
on nine piers of granite. Its engineer was Maud Ferris, who had built three smaller bridges before.
Paint on the Arno Bridge is renewed every twelve years, because salt from the sea eats through it.
Until 1962 a toll of two pence was taken from every cart at the Arno Bridge.
"""
BRENT = """\
The Brent Lock lets barges climb eleven metres. Keepers fill its chamber through six sluices, which
takes eight minutes in summer. Its engineer was Maud Ferris, who later built the Arno Bridge.
Gates of the Brent Lock are made of oak, as oak swells in water and shuts every gap.
"""

Reply = str | Completion | Exception
Script = Mapping[str, list[Reply]]

NAMES = {load_prompt(step.name).content.system: step.name for step in stages.QUESTION_STEPS}
YES = "Verdict: yes"
ANSWERED = "Verdict: yes\nWords: it"
PASS = "Unclear: Nothing.\nVerdict: pass"
GOOD: Script = {
    "judge_chunk": ["Holds: A bridge.\nVerdict: facts"],
    "plan_questions": ["- the 812 metres of the Arno Bridge [2]"],
    "check_question": [ANSWERED],
    "check_answer_relevance": [YES],
    "check_answer_accuracy": [YES],
    "revise_pair": [PASS],
}


def written(sentences: str, answer: str, question: str) -> str:
    return f"Sentences: {sentences}\nAnswer: {answer}\nQuestion: {question}"


LENGTH = written("2", "The Arno Bridge is 812 metres long.", "How long is the Arno Bridge?")
WRONG_LENGTH = LENGTH.replace("812", "821")
MENDED = "Sentences: 1, 2\nAnswer: The Arno Bridge has a length of 812 metres."
PAINT = written(
    "4",
    "Paint on the Arno Bridge is renewed because salt from the sea eats through it.",
    "Why is paint on the Arno Bridge renewed every twelve years?",
)
TOLL = written(
    "5",
    "A toll of two pence was taken from every cart at the Arno Bridge until 1962.",
    "What toll was taken from a cart at the Arno Bridge until 1962?",
)


def answer_in_full(request: Request) -> str:
    """Return the statement as what answers its questions; the bridge for those with its length."""
    statement, *questions = request.messages[-1].content.strip().split("\n")
    told = statement.removeprefix("Statement: ")
    answers = (("the Arno Bridge" if "812" in question else told) for question in questions)
    return "\n".join(f"{number}: {answer}" for number, answer in enumerate(answers, 1))


@pytest.fixture
def ask(open_small_run: OpenRun, tmp_path: Path) -> Callable[..., tuple[Run, list[str]]]:
    """Run the stage with a script; return the run and the names of the steps that were asked."""

    def ask_it(
        script: Script, texts: Mapping[str, str] = {"Arno": ARNO}, **questions: Any
    ) -> tuple[Run, list[str]]:
        folder = tmp_path / "texts"
        folder.mkdir(exist_ok=True)
        for name, text in texts.items():
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        left = {name: list(replies) for name, replies in {**GOOD, **script}.items()}

        def reply(request: Request) -> str | Completion:
            step = NAMES[request.messages[0].content]
            answers = left.get(step) or [answer_in_full(request)]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        engine = ScriptedEngine(reply)
        run = open_small_run(
            engine,
            system={"chunk_size": 200, "concurrency_limit": 1},
            questions={"plan": False, **questions},
        )
        asked: list[str] = []
        try:
            asyncio.run(stages.write_questions(run))
        finally:
            asked += [NAMES[request.messages[0].content] for request in engine.requests]
            run.asked = engine.requests  # type: ignore[attr-defined]
        return run, asked

    return ask_it


Ask = Callable[..., tuple[Run, list[str]]]


def kept(run: Run, folder: str = "qatuples_revised") -> list[QAPair]:
    return run.survivors(folder, QAPair)


def questions_of(run: Run) -> list[str]:
    return sorted(pair.question for pair in kept(run))


def funnel(run: Run, label: str = "pairs") -> dict[str, Any]:
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))
    return dict(status["questions"]["pipelines"][label])


def reasons(run: Run, label: str = "pairs", result: str = "rejected") -> dict[str, int]:
    return dict(funnel(run, label)["reasons"][result])


def last_message(run: Run, step: str) -> str:
    requests: list[Request] = run.asked  # type: ignore[attr-defined]
    found = [one for one in requests if NAMES[one.messages[0].content] == step]
    return found[-1].messages[-1].content


CHECKS = ["check_question", "check_answer_relevance", "check_answer_accuracy"]


def test_a_good_pair_passes_each_check_once_and_is_kept(ask: Ask) -> None:
    run, asked = ask({"write_questions": [LENGTH]})
    assert asked == ["judge_chunk", "write_questions", *CHECKS, "revise_pair"]
    assert [pair.answer for pair in kept(run)] == ["The Arno Bridge is 812 metres long."]
    assert kept(run, "qatuples_raw") == kept(run)
    assert funnel(run)["kept"] == 1


def test_a_plan_comes_first_and_the_writer_is_told_it(ask: Ask) -> None:
    run, asked = ask({"write_questions": [LENGTH]}, plan=True)
    assert asked[:3] == ["judge_chunk", "plan_questions", "write_questions"]
    assert "Worth asking about:\n2: It is 812 metres long" in last_message(run, "write_questions")


def test_where_no_plan_is_of_use_the_writer_goes_without(ask: Ask) -> None:
    script = {"plan_questions": ["- neap tides [2]"], "write_questions": [LENGTH]}
    run, asked = ask(script, plan=True)
    assert asked[:5] == ["judge_chunk", *["plan_questions"] * 3, "write_questions"]
    assert "Worth asking about" not in last_message(run, "write_questions")
    assert len(kept(run)) == 1


def test_the_writer_may_stop_early_and_writes_no_more_than_asked_for(ask: Ask) -> None:
    """W25: the original always had four pairs, for the thinnest chunk too."""
    run, _ = ask({"write_questions": [LENGTH]}, max_questions=4)
    assert len(kept(run)) == 1
    run, _ = ask({"write_questions": ["\n\n".join((LENGTH, PAINT, TOLL))]}, max_questions=3)
    assert len(kept(run)) == 3


def test_more_pairs_than_the_prompts_tokens_are_enough_for_get_more(ask: Ask) -> None:
    run, asked = ask({"write_questions": [LENGTH]}, max_questions=19)
    given = dict(zip(asked, (one.max_tokens for one in run.asked), strict=True))  # type: ignore[attr-defined]
    own = {name: load_prompt(name).content.max_tokens for name in given}
    assert given.pop("write_questions") == own.pop("write_questions") * 19 // 8
    assert given == own


def test_a_number_that_the_text_lacks_has_its_answer_repaired_before_any_vote(ask: Ask) -> None:
    """W2, W24: in the original a failed answer could not be repaired at all."""
    run, asked = ask({"write_questions": [WRONG_LENGTH], "repair_answer": [MENDED]})
    assert asked[2:] == ["repair_answer", *CHECKS, "revise_pair"]
    assert "What was wrong with the answer: The answer has “821”" in last_message(
        run, "repair_answer"
    )
    (pair,) = kept(run)
    assert (pair.question, pair.sentences) == ("How long is the Arno Bridge?", (1, 2))
    assert pair.answer == "The Arno Bridge has a length of 812 metres."
    assert funnel(run, "grounding")["rejected"] == 1


@pytest.mark.parametrize("check", ["check_answer_relevance", "check_answer_accuracy"])
def test_an_answer_that_loses_a_vote_is_repaired_and_told_the_models_reason(
    ask: Ask, check: str
) -> None:
    """W24: the original collected the dissenting votes' reasoning and used it nowhere."""
    no = "Verdict: no\nReason: It leaves out the piers."
    run, asked = ask({"write_questions": [LENGTH], check: [no, YES], "repair_answer": [MENDED]})
    assert asked.count("repair_answer") == 1
    assert "replace_pair" not in asked
    assert "It leaves out the piers." in last_message(run, "repair_answer")
    assert len(kept(run)) == 1


def test_a_question_that_the_text_does_not_answer_is_replaced_at_once(ask: Ask) -> None:
    """W1: in the original the question check could not fail. W24: its replacement was blind."""
    no = "Verdict: no\nReason: No date of the paint."
    run, asked = ask(
        {"write_questions": [f"{LENGTH}\n\n{TOLL}"], "check_question": [no, ANSWERED],
         "replace_pair": [PAINT]}
    )  # fmt: skip
    assert "repair_answer" not in asked
    told = last_message(run, "replace_pair")
    assert "- How long is the Arno Bridge?" in told
    assert "Question is not answered by the text. No date of the paint." in told
    assert "- What toll was taken from a cart at the Arno Bridge until 1962?" in told
    assert questions_of(run) == sorted(one.split("Question: ")[1] for one in (PAINT, TOLL))


def test_a_question_about_the_text_is_replaced_before_any_vote(ask: Ask) -> None:
    pointing = LENGTH.replace("Bridge?", "Bridge, according to the author?")
    run, asked = ask({"write_questions": [pointing], "replace_pair": [LENGTH]})
    assert asked[2:] == ["replace_pair", *CHECKS, "revise_pair"]
    assert "speaks of “the author”" in last_message(run, "replace_pair")
    assert funnel(run, "grounding")["reasons"]["rejected"] == {"asks about the text": 1}


def test_after_the_answer_the_question_is_replaced_and_its_own_answer_may_be_repaired(
    ask: Ask,
) -> None:
    still_wrong = "Sentences: 2\nAnswer: The Arno Bridge is 281 metres long."
    wrong_paint = PAINT.replace("because salt", "in 1999 because salt")
    right_paint = "Sentences: 4\nAnswer: Salt from the sea eats through the paint."
    run, asked = ask(
        {"write_questions": [WRONG_LENGTH], "repair_answer": [still_wrong, right_paint],
         "replace_pair": [wrong_paint]}
    )  # fmt: skip
    repairs = [name for name in asked if "repair" in name or "replace" in name]
    assert repairs == ["repair_answer", "replace_pair", "repair_answer"]
    assert [pair.answer for pair in kept(run)] == ["Salt from the sea eats through the paint."]


@pytest.mark.parametrize(("budget", "calls"), [(0, 0), (1, 1), (2, 2), (3, 3)])
def test_when_the_budget_is_used_up_the_last_problem_is_the_reason(
    ask: Ask, budget: int, calls: int
) -> None:
    """W3: nothing is asked for ever. W7: what is not mended is dropped with its reason."""
    lies = [f"Sentences: 2\nAnswer: The Arno Bridge is {n} metres long." for n in (70, 71, 72)]
    new = [LENGTH.replace("812", str(n)) for n in (73, 74, 75)]
    run, asked = ask(
        {"write_questions": [WRONG_LENGTH], "repair_answer": lies, "replace_pair": new},
        repairs=budget,
    )
    assert len(asked) - 2 == calls
    assert kept(run) == []
    assert reasons(run) == {"answer has a fact that the text lacks": 1}


def test_an_answer_repair_without_a_new_answer_goes_on_to_another_question(ask: Ask) -> None:
    same = "Sentences: 2\nAnswer: The Arno Bridge is 821 metres long."
    run, asked = ask(
        {"write_questions": [WRONG_LENGTH], "repair_answer": [same], "replace_pair": [PAINT]},
        repairs=1,
    )
    assert asked.count("repair_answer") == 3, "the attempts of its prompt"
    assert questions_of(run) == ["Why is paint on the Arno Bridge renewed every twelve years?"]


def test_a_repair_without_a_usable_reply_drops_only_its_pair_as_failed(ask: Ask) -> None:
    """W4, W7: in the original an exhausted replacement lost the rest of the chunk."""
    cut = Completion("Sentences: 2\nAnswer: The Arno", "length", 9, 0, 8, 0.1)
    run, _ = ask(
        {"write_questions": [f"{WRONG_LENGTH}\n\n{TOLL}"], "repair_answer": [cut],
         "replace_pair": [cut]}
    )  # fmt: skip
    assert len(kept(run)) == 1
    assert reasons(run, result="failed") == {"truncated at max_tokens": 1}


def test_replies_that_were_cut_are_asked_again_then_the_chunk_has_failed(ask: Ask) -> None:
    """W3, W4: bounded attempts; unusable is an outcome of its own, not a rejection."""
    cut = Completion(LENGTH[:30], "length", 9, 0, 8, 0.1)
    run, asked = ask({"write_questions": [cut, cut, LENGTH]})
    assert asked.count("write_questions") == 3
    assert len(kept(run)) == 1
    run, asked = ask({"write_questions": [cut]}, {"Arno": ARNO.replace("812", "813")})
    assert asked.count("write_questions") == 3
    assert reasons(run, "chunks", "failed") == {"truncated at max_tokens": 1}


def test_a_chunk_that_cannot_be_judged_fails_and_the_others_go_on(ask: Ask) -> None:
    """W7: in the original this ended the whole cell."""
    cut = Completion("Holds: A", "length", 9, 0, 8, 0.1)
    lock = written("1", "The Brent Lock lets barges climb eleven metres.",
                   "How far does the Brent Lock let barges climb?")  # fmt: skip
    run, _ = ask(
        {"judge_chunk": [cut, cut, cut, "Holds: A lock.\nVerdict: facts"],
         "write_questions": [lock]},
        {"Arno": ARNO, "Brent": BRENT},
    )  # fmt: skip
    assert reasons(run, "chunks", "failed") == {"truncated at max_tokens": 1}
    assert len(kept(run)) == 1


def test_a_reworded_pair_is_vetted_again_and_kept_when_it_is_good(ask: Ask) -> None:
    """W23: the original never looked at a reworded pair again."""
    it = written("2", "It is 812 metres long.", "How long is it, the bridge over the Arno?")
    reworded = (
        "Unclear: Which bridge is meant.\nVerdict: reword\nQuestion: How long is the Arno Bridge?\n"
        "Answer: The Arno Bridge is 812 metres long."
    )
    run, asked = ask({"write_questions": [it], "revise_pair": [reworded]})
    assert asked[2:] == [*CHECKS, "revise_pair", *CHECKS]
    assert questions_of(run) == ["How long is the Arno Bridge?"]
    assert "[4] Paint on the Arno Bridge" in last_message(run, "revise_pair")


def test_a_reworded_pair_that_is_wrong_is_repaired_and_made_to_stand_alone_again(
    ask: Ask,
) -> None:
    """W23: a rewording that spoils the answer does not slip through."""
    spoilt = (
        "Unclear: Much.\nVerdict: reword\nQuestion: How long is the Arno Bridge?\n"
        "Answer: The Arno Bridge is 999 metres long."
    )
    run, asked = ask(
        {"write_questions": [LENGTH], "revise_pair": [spoilt, PASS], "repair_answer": [MENDED]}
    )
    assert asked[2:] == [*CHECKS, "revise_pair", "repair_answer", *CHECKS, "revise_pair"]
    assert [pair.answer for pair in kept(run)] == ["The Arno Bridge has a length of 812 metres."]


def test_a_pair_that_cannot_stand_alone_gets_another_question_within_the_same_budget(
    ask: Ask,
) -> None:
    fail = "Unclear: All of it.\nVerdict: fail"
    script: Script = {
        "write_questions": [LENGTH], "revise_pair": [fail, PASS], "replace_pair": [PAINT],
    }  # fmt: skip
    run, _ = ask(script)
    assert questions_of(run) == ["Why is paint on the Arno Bridge renewed every twelve years?"]
    run, _ = ask({**script, "write_questions": [TOLL], "revise_pair": [fail]},
                 {"Arno": ARNO.replace("granite", "slate")}, repairs=0)  # fmt: skip
    assert reasons(run) == {"does not stand alone": 1}


def test_a_prompt_that_is_too_long_is_no_fault_of_the_question(ask: Ask) -> None:
    run, asked = ask({"write_questions": [LENGTH], "revise_pair": [PromptTooLong("too long")]})
    assert "replace_pair" not in asked
    assert reasons(run) == {"prompt longer than the context": 1}


def test_a_replacement_that_asks_what_a_sibling_asks_is_a_problem_too(ask: Ask) -> None:
    """W24: the original's replacement did not know which questions there were."""
    again = TOLL.replace("What toll was taken from a cart", "Which toll was taken from a cart")
    script: Script = {
        "write_questions": [f"{WRONG_LENGTH}\n\n{TOLL}"],
        "repair_answer": ["Sentences: 2\nAnswer: The Arno Bridge is 281 metres long."],
        "replace_pair": [again],
    }
    run, _ = ask(script, repairs=2)
    assert len(kept(run)) == 1
    assert reasons(run) == {"asked already": 1}
    run, _ = ask({**script, "replace_pair": [again, PAINT]}, {"Arno": f"{ARNO}\n"}, repairs=3)
    assert len(kept(run)) == 2


def test_of_two_pairs_that_ask_the_same_the_one_that_needed_no_repair_stays(ask: Ask) -> None:
    """W18: the original kept the first of those with the same 15 characters, good or not."""
    twin = LENGTH.replace(
        "How long is the Arno Bridge", "How long is the bridge called Arno Bridge"
    )
    run, _ = ask(
        {"write_questions": [f"{WRONG_LENGTH}\n\n{twin}\n\n{TOLL}"], "repair_answer": [MENDED]}
    )
    assert "How long is the bridge called Arno Bridge?" in questions_of(run)
    assert "How long is the Arno Bridge?" not in questions_of(run)
    assert reasons(run, "distinct questions") == {"asked already": 1}
    line = funnel(run, "distinct questions")
    assert (line["in"], line["kept"], line["rejected"]) == (3, 2, 1)


def test_across_chunks_the_first_of_those_that_ask_the_same_stays(ask: Ask) -> None:
    """W18, W11: and a second run, which asks nothing, ends the same."""
    first = written("3", "The engineer was Maud Ferris, who had built three smaller bridges.",
                    "Who was the engineer Maud Ferris?")  # fmt: skip
    second = written("3", "Maud Ferris was the engineer, who later built the Arno Bridge.",
                     "Who was Maud Ferris, the engineer?")  # fmt: skip
    script: Script = {"write_questions": [first, second]}
    run, asked = ask(script, {"Arno": ARNO, "Brent": BRENT})
    before = kept(run)
    assert [pair.question for pair in before] == ["Who was the engineer Maud Ferris?"]
    assert reasons(run, "distinct questions") == {"asked already": 1}
    files = sorted(path.name for path in (run.folder / "qatuples_revised").rglob("*.json"))
    run, asked = ask(script, {"Arno": ARNO, "Brent": BRENT})
    assert asked == []
    assert kept(run) == before
    assert files == sorted(p.name for p in (run.folder / "qatuples_revised").rglob("*.json"))


def test_the_twin_of_a_deleted_pair_does_not_take_its_place(ask: Ask) -> None:
    twin = TOLL.replace("What toll was taken from a cart", "Which toll was taken from a cart")
    chunks = [f"{TOLL}\n\n{twin}\n\n{PAINT}", TOLL.replace("Sentences: 5", "Sentences: 2")]
    script: Script = {"write_questions": chunks}
    text = BRENT.replace(
        "Keepers",
        "Until 1962 a toll of two pence was taken from every cart at the Arno Bridge. Keepers",
    )
    run, _ = ask(script, {"Arno": ARNO, "Brent": text})
    (gone,) = [pair for pair in kept(run) if "toll" in pair.question]
    (run.folder / "qatuples_revised" / f"{gone.uuid}.json").unlink()
    run, asked = ask(script, {"Arno": ARNO, "Brent": text})
    assert asked == []
    assert questions_of(run) == ["Why is paint on the Arno Bridge renewed every twelve years?"]


def test_a_document_that_comes_later_in_order_takes_no_question_away(ask: Ask) -> None:
    run, _ = ask({"write_questions": [LENGTH]})
    before = kept(run)
    same = written("2", "The Arno Bridge is 812 metres long.", "How long is the Arno Bridge?")
    text = BRENT.replace("Keepers", "The Arno Bridge is 812 metres long. Keepers")
    run, _ = ask({"write_questions": [same]}, {"Arno": ARNO, "Brent": text})
    assert kept(run) == before


def test_without_votes_the_checks_by_code_go_on(ask: Ask) -> None:
    """W10: in the original 0 votes let everything pass and an even number was no majority."""
    run, asked = ask(
        {"write_questions": [f"{WRONG_LENGTH}\n\n{TOLL}"]}, double_check_counter=0, repairs=0
    )
    assert not set(asked) & set(CHECKS)
    assert reasons(run) == {"answer has a fact that the text lacks": 1}
    assert len(kept(run)) == 1


def test_an_even_number_of_votes_is_refused(open_small_run: OpenRun) -> None:
    """W10: first to half of an even number is no majority."""
    with pytest.raises(ConfigError, match="must be odd"):
        open_small_run(questions={"double_check_counter": 2})


def test_the_reason_that_a_repair_is_told_is_the_first_of_the_majority(ask: Ask) -> None:
    """W16: three votes part where the model is in doubt, and the majority decides."""
    votes: list[Reply] = [YES, "Verdict: no\nReason: One.", "Verdict: no\nReason: Two.", YES]
    run, _ = ask(
        {"write_questions": [LENGTH], "check_answer_accuracy": votes, "repair_answer": [MENDED]},
        double_check_counter=3,
    )
    assert "disagrees with the text. One." in last_message(run, "repair_answer")
    assert len(kept(run)) == 1


def test_an_engine_error_is_no_rejection_and_only_the_rest_is_asked_afterwards(ask: Ask) -> None:
    """W4: the original counted a crash as a rejected question. W11: it then lost the rest."""
    script: Script = {"write_questions": [f"{WRONG_LENGTH}\n\n{TOLL}"], "repair_answer": [MENDED]}
    crash: Script = {**script, "check_answer_accuracy": [EngineCrash("gone")]}
    with pytest.raises(EngineCrash):
        ask(crash)
    run, asked = ask(script)
    assert Counter(asked) == Counter(
        ["check_answer_accuracy", "revise_pair", *CHECKS, "revise_pair"]
    )
    assert len(kept(run)) == 2
    assert funnel(run)["rejected"] == 0


def test_a_chunk_without_a_single_good_pair_is_not_asked_about_again(ask: Ask) -> None:
    """W11: the original asked it anew in every run."""
    script: Script = {"write_questions": [WRONG_LENGTH]}
    run, _ = ask(script, repairs=0)
    assert kept(run) == []
    _, asked = ask(script, repairs=0)
    assert asked == []


def test_the_manifest_says_how_pairs_were_checked() -> None:
    """W10: no votes is a choice that whoever trains on the data can read."""
    assert "by code only (double_check_counter: 0)" in describe_checks(0)
    assert "each by one vote" in describe_checks(1)
    assert "the majority of 3 votes" in describe_checks(3)


def findings(run: Run, name: str) -> dict[str, dict[str, int]]:
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))
    return dict(status["questions"]["findings"][name])


def left_out(run: Run) -> list[tuple[str, str]]:
    found = run.survivors(REJECTED_PAIRS, RejectedPair)
    return [(one.problem.reason, one.pair.question) for one in found]


def test_chunks_are_tallied_by_source_with_the_reason_of_each_that_is_unsuitable(ask: Ask) -> None:
    judged: list[Reply] = ["Holds: A bridge.\nVerdict: facts", "Holds: A lock.\nVerdict: no facts"]
    script = {"judge_chunk": judged, "write_questions": [LENGTH]}
    run, _ = ask(script, {"Arno": ARNO, "Brent": BRENT})
    assert findings(run, "sources") == {"Arno": {"suitable": 1}, "Brent": {"no facts": 1}}


def test_repairs_are_tallied_by_the_first_fault_and_what_mended_it(ask: Ask) -> None:
    run, _ = ask({"write_questions": [WRONG_LENGTH], "repair_answer": [MENDED]})
    fault = "answer has a fact that the text lacks"
    assert findings(run, "repairs") == {fault: {"found": 1, "another answer": 1}}
    assert left_out(run) == []


def test_a_pair_that_nothing_mended_can_be_read_as_it_was_last(ask: Ask) -> None:
    run, _ = ask({"write_questions": [WRONG_LENGTH]}, repairs=0)
    fault = "answer has a fact that the text lacks"
    assert findings(run, "repairs") == {fault: {"found": 1}}
    assert left_out(run) == [(fault, "How long is the Arno Bridge?")]


def test_a_pair_that_asks_what_another_one_asks_names_the_one_that_stays(ask: Ask) -> None:
    again = LENGTH.replace("How long is", "How long, in all, is")
    run, _ = ask({"write_questions": [f"{LENGTH}\n\n{again}"]}, max_questions=2)
    (one,) = run.survivors(REJECTED_PAIRS, RejectedPair)
    (stays,) = kept(run)
    assert one.problem.reason == "asked already"
    assert stays.question in one.problem.told
    assert one.pair.question != stays.question


def asked(*questions: str) -> str:
    return "\n".join(f"Question: {question}" for question in questions)


HOW_LONG = "How long is the Arno Bridge in metres?"
WHAT_LENGTH = "What length does the Arno Bridge have?"
WHICH = "Which bridge is 812 metres long?"
ASKED = asked("How far is it?", WHAT_LENGTH, WHICH)
NO_PASS = "Verdict: no\nReason: It is not in the text."


def test_questions_are_made_of_the_answer_alone_and_the_closest_one_stays(ask: Ask) -> None:
    run, steps = ask({"write_questions": [LENGTH], "ask_question": [ASKED]}, ask_apart=True)
    assert steps[:4] == ["judge_chunk", "write_questions", "ask_question", "answer_briefly"]
    assert steps[4:] == [*CHECKS, "revise_pair"]
    told = last_message(run, "ask_question")
    assert told.strip() == "Statement: The Arno Bridge is 812 metres long."
    assert questions_of(run) == [WHICH]
    assert kept(run)[0].sentences == (2,)


@pytest.mark.parametrize("words", ["Who was Maud?", "Was ist 長さ?"])
def test_questions_that_are_none_for_their_answer_leave_the_first(ask: Ask, words: str) -> None:
    reply = asked(f"How far {words}", f"What {words}", f"Which {words}")
    run, steps = ask({"write_questions": [LENGTH], "ask_question": [reply]}, ask_apart=True)
    assert steps.count("ask_question") == 2
    assert questions_of(run) == ["How long is the Arno Bridge?"]


def test_questions_that_code_finds_at_fault_are_not_asked(ask: Ask) -> None:
    pointing = "What does the author say about the 812 metres of the long Arno Bridge?"
    reply = asked(HOW_LONG, pointing, "In which text is the Arno Bridge 812 metres long?")
    run, steps = ask({"write_questions": [LENGTH], "ask_question": [reply]}, ask_apart=True)
    assert "replace_pair" not in steps
    assert questions_of(run) == [HOW_LONG]


def test_a_question_that_says_what_it_asks_for_is_not_asked(ask: Ask) -> None:
    says = "What 812 metres is the Arno Bridge long?"
    script = {
        "write_questions": [LENGTH],
        "ask_question": [asked(says, WHAT_LENGTH)],
    }
    run, _ = ask(script, ask_apart=True)
    assert questions_of(run) == [WHAT_LENGTH]


def test_a_pair_of_which_every_question_says_what_it_asks_for_is_replaced(ask: Ask) -> None:
    script = {
        "write_questions": [LENGTH],
        "ask_question": [asked(WHAT_LENGTH), asked("Why is paint on the Arno Bridge renewed?")],
        "answer_briefly": ["1: the Arno Bridge", "1: salt"],
        "replace_pair": [PAINT],
    }
    run, steps = ask(script, ask_apart=True)
    assert steps[3:7] == ["answer_briefly", "replace_pair", "ask_question", "answer_briefly"]
    assert findings(run, "repairs") == {
        "asks for what it says": {"found": 1, "another question": 1}
    }
    told = last_message(run, "replace_pair")
    assert "The question says itself what it asks for." in told


def test_without_a_reply_of_use_the_first_question_stays(ask: Ask) -> None:
    script = {
        "write_questions": [LENGTH],
        "ask_question": [asked(WHAT_LENGTH)],
        "answer_briefly": [Completion("1: 812", "length", 9, 0, 8, 0.1)],
    }
    run, steps = ask(script, ask_apart=True)
    assert steps.count("answer_briefly") == 2
    assert questions_of(run) == ["How long is the Arno Bridge?"]


def test_a_question_that_loses_its_votes_is_followed_by_a_spare_one(ask: Ask) -> None:
    script = {
        "write_questions": [LENGTH],
        "ask_question": [ASKED],
        "check_question": [NO_PASS, ANSWERED],
    }
    run, steps = ask(script, ask_apart=True)
    assert steps[3:6] == ["answer_briefly", "check_question", "check_question"]
    assert questions_of(run) == [WHAT_LENGTH]
    assert findings(run, "repairs") == {
        "question is not answered by the text": {"found": 1, "another question": 1}
    }


def test_a_pair_without_a_spare_question_is_replaced_and_asked_for(ask: Ask) -> None:
    renewed = "Why is the paint of the Arno Bridge renewed?"
    script = {
        "write_questions": [LENGTH],
        "ask_question": [
            asked(HOW_LONG, "What is it?", "Which is it, Arno?"),
            asked(renewed, "What is it?", "In what is it?"),
        ],
        "answer_briefly": ["1: 812 metres", "1: salt"],
        "check_question": [NO_PASS, ANSWERED],
        "replace_pair": [PAINT],
    }
    run, steps = ask(script, ask_apart=True)
    assert steps[4:7] == ["check_question", "replace_pair", "ask_question"]
    assert questions_of(run) == [renewed]


def test_a_pair_with_no_question_that_is_bound_to_its_answer_is_replaced(ask: Ask) -> None:
    unbound = LENGTH.replace("How long is the Arno Bridge?", "Why is its paint renewed?")
    foreign = asked("Who was Maud?", "What is paint?", "What is salt?")
    script = {
        "write_questions": [unbound],
        "ask_question": [foreign, foreign, ASKED],
        "replace_pair": [LENGTH],
    }
    run, steps = ask(script, ask_apart=True)
    assert steps[2:6] == ["ask_question", "ask_question", "replace_pair", "ask_question"]
    assert findings(run, "repairs") == {
        "asks for something else": {"found": 1, "another question": 1}
    }
    assert "The question has little of what the answer tells." in last_message(run, "replace_pair")
    assert questions_of(run) == [WHICH]


def test_an_answer_too_short_to_be_asked_about_alone_keeps_its_question(ask: Ask) -> None:
    terse = written("5", "A toll of two pence.", "What did carts have to pay until 1962?")
    foreign = asked("Who was Maud?", "What is paint?", "What is salt?")
    run, steps = ask({"write_questions": [terse], "ask_question": [foreign]}, ask_apart=True)
    assert "replace_pair" not in steps
    assert questions_of(run) == ["What did carts have to pay until 1962?"]


def test_an_answer_that_is_at_fault_itself_is_asked_about_once_it_is_mended(ask: Ask) -> None:
    strange = written("2", "The Arno Bridge of Baron Klee is 812 metres long.", "How long is it?")
    script = {"write_questions": [strange], "ask_question": [ASKED], "repair_answer": [MENDED]}
    run, steps = ask(script, ask_apart=True)
    assert steps[2:5] == ["repair_answer", "ask_question", "answer_briefly"]
    assert questions_of(run) == [WHAT_LENGTH]
    assert kept(run)[0].answer == "The Arno Bridge has a length of 812 metres."


def test_an_answer_that_stays_at_fault_is_replaced_unasked(ask: Ask) -> None:
    strange = written("2", "The Arno Bridge of Baron Klee is 812 metres long.", "How long is it?")
    script = {
        "write_questions": [strange],
        "ask_question": [ASKED],
        "replace_pair": [LENGTH],
        "repair_answer": ["Sentences: 2\nAnswer: Baron Klee is 812 metres long."],
    }
    run, steps = ask(script, ask_apart=True)
    assert steps[2:5] == ["repair_answer", "replace_pair", "ask_question"]
    assert questions_of(run) == [WHICH]


def test_a_word_lent_by_an_example_is_repaired(ask: Ask) -> None:
    lent = LENGTH.replace("long.", "long, as a beehive is.")
    run, asked = ask({"write_questions": [lent], "repair_answer": [MENDED]})
    assert asked[2] == "repair_answer"
    assert "“beehive”, which the text does not speak of" in last_message(run, "repair_answer")
    assert kept(run)[0].answer == "The Arno Bridge has a length of 812 metres."
