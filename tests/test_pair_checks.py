# ruff: noqa: E501
"""What code tells against a pair, and which questions ask the same: own and labelled pairs.

The held-out half of tests/labelled_pairs was not looked at while thresholds were chosen.
"""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from generation_functions.pipelines.amounts import amounts, known_amounts, known_months, months
from generation_functions.pipelines.pair_checks import find_problem
from generation_functions.pipelines.question_steps import make_pair
from generation_functions.pipelines.samples import make_chunk
from generation_functions.pipelines.similar import AskedBefore, alike, keep_best
from generation_functions.records import Chunk, QAPair

LABELLED = Path(__file__).with_name("labelled_pairs")
SALT = make_chunk(
    "Salt was boiled from brine at Wend in iron pans, each eleven feet long. A pan gave four bushels "
    "in a day and burned two loads of wood. Ox blood was stirred in, for it binds the scum, which "
    "can then be skimmed off. The wallers, most of them women, drew the salt with rakes. In March "
    "1604 Duke Aldric forbade the felling of oak, and half of the pans went cold. Peat was tried in "
    "their place, but its smoke turned the salt grey.",
    "Salt Towns, by E. Roth, published 1911",
)
LICHEN = make_chunk(
    "A lichen is a fungus that houses an alga. The alga makes sugar from light, and the fungus gives "
    "it water and shelter. Lichens grow about one millimetre a year, so that the width of a patch "
    "tells how long a stone has lain bare. Sulphur dioxide kills most kinds; only the grey crust "
    "Lecanora thrives in towns. Reindeer scrape lichens from under the snow in winter. Orchil, a "
    "purple dye, was made in Florence by steeping lichens in urine for three weeks.",
    "Small Partners, by T. Iwe",
)
TELEGRAPH = make_chunk(
    "Chappe's telegraph was a mast with a beam and two arms on a tower. The arms could be set to 92 "
    "signs. A clerk watched the next tower through a telescope and copied what it showed. In clear "
    "weather a sign went from Paris to Lille in two minutes. Fog stopped the line, and so did night, "
    "since lamps on the arms were tried without success. By 1844 France had 534 towers. The electric "
    "wire then made them useless within ten years.",
    "Lines of Sight, by P. Marchand",
)
OWN = {
    SALT: [
        ((1,), "How was salt got from brine at Wend?", "The brine was boiled in pans of iron."),
        ((2,), "How much wood did a salt pan burn in a day?", "It took two loads of wood a day."),
        ((2,), "How much salt did one pan yield daily?", "A pan yielded four bushels a day."),
        ((3,), "Why was ox blood stirred into the brine?", "The blood binds scum, so that it can be "
         "skimmed."),
        ((4,), "Who drew the salt from the pans at Wend?", "The wallers drew it; they were mostly "
         "women."),
        ((5,), "What did Duke Aldric forbid in 1604?", "He forbade people to fell oak in March 1604."),
        ((6,), "What was wrong with peat as fuel for salt pans?", "Smoke from peat made the salt "
         "grey."),
    ],
    LICHEN: [
        ((1,), "Of what two beings does a lichen consist?", "It is a fungus which houses an alga."),
        ((2,), "What does the alga of a lichen provide?", "It uses light to make sugar."),
        ((3,), "How fast do lichens grow?", "Lichens grow by roughly one millimetre in a year."),
        ((4,), "Which lichen thrives in towns?", "The grey crust called Lecanora does."),
        ((4,), "Which gas kills most lichens?", "Most kinds are killed by sulphur dioxide."),
        ((5,), "How do reindeer get at lichens in winter?", "They scrape them from under the snow."),
        ((6,), "What was orchil, and where was it made?", "Orchil was a purple dye from Florence."),
    ],
    TELEGRAPH: [
        ((2,), "How many signs could the arms of Chappe's telegraph show?", "They showed 92 signs."),
        ((3,), "What did a clerk of Chappe's telegraph do?", "He watched the next tower with a "
         "telescope and copied its sign."),
        ((4,), "How long did a sign take from Paris to Lille?", "It took 2 minutes in clear "
         "weather."),
        ((5,), "What stopped the line of Chappe's telegraph?", "Fog and night did."),
        ((5,), "Why could Chappe's telegraph not work at night?", "Lamps were tried on the arms, but "
         "without success."),
        ((6,), "How many telegraph towers had France by 1844?", "France had 534 towers by then."),
        ((7,), "What made Chappe's telegraph useless?", "The electric wire did so within ten years."),
    ],
}  # fmt: skip
RIGHT = [
    make_pair(chunk, sentences, question, answer)
    for chunk, pairs in OWN.items()
    for sentences, question, answer in pairs
]


def mismatch(pairs: list[QAPair]) -> list[QAPair]:
    """Return each question and quote with each other answer of its chunk, from other sentences."""
    return [
        replace(one, answer=other.answer)
        for one in pairs
        for other in pairs
        if one.chunk == other.chunk and not set(one.sentences) & set(other.sentences)
    ]


def wilson(hits: int, number: int, z: float = 1.96) -> tuple[float, float]:
    middle = (hits + z * z / 2) / (number + z * z)
    half = z * math.sqrt(hits * (number - hits) / number + z * z / 4) / (number + z * z)
    return middle - half, middle + half


def labelled(half: str) -> list[QAPair]:
    rows = [
        json.loads(line)
        for file in sorted(LABELLED.glob(f"{half}_*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    return [
        make_pair(
            make_chunk(row["text"], row["source"]),
            tuple(pair["sentences"]),
            pair["question"],
            pair["answer"],
        )
        for row in rows
        for pair in row["pairs"]
    ]


@pytest.mark.parametrize("pair", RIGHT, ids=lambda pair: pair.question)
def test_nothing_is_told_against_a_right_pair(pair: QAPair) -> None:
    assert find_problem(pair) is None


def test_answers_from_other_sentences_are_told_from_the_right_ones() -> None:
    wrong = mismatch(RIGHT)
    assert len(wrong) > 110
    assert sum(find_problem(pair) is None for pair in wrong) <= 0.02 * len(wrong)


def test_labelled_mismatches_are_refused_and_right_pairs_are_not() -> None:
    """Answers to other questions about the same sentences are left to the votes."""
    refused = accepted = rights = wrongs = 0
    for half in ("tuned", "held_out", "fresh"):
        right = labelled(half)
        wrong = mismatch(right)
        bad = sum(find_problem(pair) is not None for pair in right)
        good = sum(find_problem(pair) is None for pair in wrong)
        print(half, "right refused", bad, len(right), wilson(bad, len(right)))
        print(half, "wrong accepted", good, len(wrong), wilson(good, len(wrong)))
        assert bad <= 0.04 * len(right)
        assert good <= 0.03 * len(wrong)
        refused, rights = refused + bad, rights + len(right)
        accepted, wrongs = accepted + good, wrongs + len(wrong)
    assert rights >= 300
    assert wrongs >= 2000
    assert refused <= 0.03 * rights
    assert accepted <= 0.02 * wrongs


GERMAN = replace(
    make_chunk("Die Salzpfannen in Wend waren aus Eisen. Ochsenblut band den Schaum, der dann "
               "abgeschöpft wurde. Torf färbte das Salz grau."),
    language="german",
)  # fmt: skip
CHINESE = make_chunk(
    "开尔文大桥于1931年通车，全长812米。桥墩由花岗岩砌成，因为附近有采石场。工程师莫德早年还建造过三座小桥。"
)
JAPANESE = make_chunk(
    "ケルビン橋は1931年に開通した。橋脚は花崗岩で造られている。近くに採石場があったからである。"
)


@pytest.mark.parametrize(
    "pair",
    [
        make_pair(GERMAN, (2,), "Womit band man in Wend den Schaum auf der Sole?",
                  "Man nahm dafür das Blut von Ochsen, also Ochsenblut."),
        make_pair(CHINESE, (2,), "开尔文大桥的桥墩是用什么材料建的？", "桥墩是用花岗岩建的。"),
        make_pair(CHINESE, (1,), "开尔文大桥有多长？", "这座大桥长812米。"),
        make_pair(JAPANESE, (2,), "ケルビン橋の橋脚は何でできていますか。",
                  "橋脚は花崗岩でできている。"),
    ],
)  # fmt: skip
def test_right_pairs_in_other_languages_are_not_refused(pair: QAPair) -> None:
    assert find_problem(pair) is None


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (make_pair(GERMAN, (2,), "Was band den Schaum?", "Es war Blut von 12 Ochsen."), "a fact"),
        (
            make_pair(CHINESE, (2,), "桥墩是用什么材料建的？", "工程师莫德早年还建造过小桥。"),
            "quote",
        ),
        (make_pair(CHINESE, (2,), "谁写了红楼梦？", "桥墩由花岗岩砌成。"), "not in the words"),
    ],
)
def test_wrong_pairs_in_other_languages_are(pair: QAPair, reason: str) -> None:
    problem = find_problem(pair)
    assert problem
    assert reason in problem.reason


def variant(pair: QAPair, **changes: str) -> str | None:
    problem = find_problem(replace(pair, **changes))
    return problem.reason if problem else None


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ("What did Duke Aldric forbid?", "He forbade the felling of oak in May 1604.", "fact"),
        ("What did Duke Aldric forbid?", "He forbade the felling of oak in 1640.", "fact"),
        ("What did Duke Aldric forbid?", "He and Duke Osric forbade the felling of oak.", "fact"),
        ("What did Duke Aldric forbid in 1704?", "He forbade the felling of oak.", "question has"),
        ("What does this passage forbid?", "The felling of oak.", "about the text"),
        ("When did Duke Aldric forbid the felling of oak?", "Wallers drew salt with rakes.", "fit"),
        ("What did Duke Aldric forbid?", "Duke Aldric did forbid.", "only repeats"),
        ("Why did Aldric forbid felling?", "Aldric could be forbidding felling.", "only repeats"),
        ("What did Duke Aldric forbid?", "Mushrooms dry slowly above open stoves.", "words"),
        ("What did Duke Aldric forbid?", "A pan burned two loads of wood.", "quote"),
        ("What did Duke Aldric forbid in March?", "The felling of oak.", ""),
    ],
)
def test_each_fault_has_its_reason(question: str, answer: str, reason: str) -> None:
    found = variant(make_pair(SALT, (5,), question, answer)) or ""
    assert (reason in found) if reason else not found


def test_the_title_is_known_and_an_institution_may_go_by_its_initials() -> None:
    chunk = make_chunk(
        "Haggle over the wording of minutes. Hold all meetings late.",
        "Simple Sabotage, by the Office of Strategic Services, published 1944",
    )
    question = "Over what did the OSS in 1944 want people to haggle?"
    assert find_problem(make_pair(chunk, (1,), question, "Over the wording of minutes.")) is None
    assert find_problem(make_pair(chunk, (1,), question.replace("OSS", "KGB"), "The minutes."))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("twenty-one of 1,852 men", {"21", "1852"}),
        ("one hundred and twenty ships, 3 million eels", {"120", "3000000"}),
        ("the nineteenth century", {"19"}),
        ("two reasons and one way", set()),
        ("three strands of 2.5 mm", {"3", "2.5"}),
    ],
)
def test_numbers_are_the_same_in_words_and_in_digits(text: str, found: set[str]) -> None:
    assert amounts(text) == found
    assert found <= known_amounts(text)


def test_months_are_known_by_name_and_by_number() -> None:
    assert months("On 4 May he may go; in Sept. too") == {"may", "sep"}
    assert {"may", "nov"} <= known_months("from 1931-05-04 to 4.11.31")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("How long is the Kelvin Bridge?", "812 metres."),
         ("How long is the bridge called Kelvin Bridge?", "It is 812 metres."), True),
        (("What is the purpose of keeping a lamp in the engine room?", "It gives light to the crew."),
         ("What purpose has a lamp that is kept in an engine room?", "A lamp gives light to the crew."), True),
        (("What is the chance of rolling a five?", "1/6."),
         ("What is the chance of not rolling a five?", "5/6."), False),
        (("What is the chance of rolling a five?", "1/6."),
         ("What is the chance of rolling a six?", "1/6."), False),
        (("What is a truth table?", "A list of values."),
         ("What is a truth-functional operator?", "An operator."), False),
        (("Who built the Kelvin Bridge?", "Maud Ferris built it in 1931."),
         ("When was the Kelvin Bridge built?", "Maud Ferris built it in 1931."), False),
        (("Who was Maud Ferris?", "An engineer."), ("Who was John Ferris?", "A smith."), False),
        (("What is bronze made of?", "Copper."), ("What is bronze used for?", "Bells."), False),
    ],
)  # fmt: skip
def test_questions_are_alike_by_their_words_and_not_by_how_they_begin(
    one: tuple[str, str], other: tuple[str, str], same: bool
) -> None:
    """W18: the original compared the first 15 characters."""
    first, second = (make_pair(SALT, (1,), *pair) for pair in (one, other))
    assert alike(first, second) is alike(second, first) is same
    before = AskedBefore()
    assert before.add(first) is None
    assert before.add(second) == (first if same else None)


def pair_about(chunk: Chunk, sentences: tuple[int, ...], answer: str) -> QAPair:
    return make_pair(chunk, sentences, "What forbade Duke Aldric?", answer)


def test_the_best_is_less_repaired_then_tells_more_of_its_quote_then_comes_first() -> None:
    short = pair_about(SALT, (5,), "The felling of oak.")
    full = pair_about(SALT, (5,), "In March 1604 he forbade the felling of oak.")
    assert keep_best([(short, 0), (full, 0)]) == [full]
    assert keep_best([(short, 0), (full, 1)]) == [short]
    assert keep_best([(short, 0), (replace(short, uuid="later"), 0)]) == [short]
