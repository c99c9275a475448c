"""What is found wrong with a conversation: one fault put into a right one at a time."""

from dataclasses import replace

from bridge import CHUNK, LENGTH, STONE

from generation_functions.pipelines.conversation_checks import find_flaws
from generation_functions.pipelines.spelling import find_misspelt
from generation_functions.records import Conversation, Scene, Turn

SCENE = Scene(
    "Mira Demir",
    "Kofi Nagy",
    ("Mira Demir has all the time in the world.",),
    "Name: Mira Demir\nTraits: calm, 61 years old",
    "Kofi Nagy stands on platform 9. Mira Demir counts trains.",
)
SAID = (
    "I have often walked over the Kelvin Bridge. How long is it really?",
    "It is 812 metres long, the Kelvin Bridge.",
    "And why did Maud Ferris choose to build it of granite?",
    "Maud Ferris built it of granite because granite was quarried nearby.",
)


def talk(*texts: str, scene: Scene | None = None) -> Conversation:
    speakers = ("human", "gpt", "human", "gpt")
    turns = tuple(Turn(speaker, text) for speaker, text in zip(speakers, texts, strict=True))
    return Conversation("k1", turns, (LENGTH, STONE), CHUNK, scene)


def kinds(*texts: str, scene: Scene | None = None) -> list[tuple[str, int]]:
    return [(flaw.kind, flaw.turn) for flaw in find_flaws(talk(*texts, scene=scene))]


def change(place: int, old: str, new: str) -> list[str]:
    texts = list(SAID)
    assert old in texts[place]
    texts[place] = texts[place].replace(old, new)
    return texts


def test_a_right_conversation_has_no_flaw() -> None:
    assert kinds(*SAID) == []
    assert kinds(*SAID, scene=SCENE) == []


def test_short_answers_can_be_given() -> None:
    """W19: in the original an answer of fewer than 15 characters could never pass."""
    short = replace(LENGTH, answer="812 metres.")
    turns = (Turn("human", "How long is the Kelvin Bridge?"), Turn("gpt", "It is 812 metres."))
    assert find_flaws(Conversation("k1", turns, (short,), CHUNK)) == []


def test_an_answer_to_another_question_is_not_taken_for_the_right_one() -> None:
    """W19: a run of 15 letters that both have ("The Kelvin Bridge") was enough for the original."""
    assert ("an answer is not given", 2) in kinds(SAID[0], SAID[3], SAID[2], SAID[1])
    other = "The Kelvin Bridge was opened on 4 May 1931."
    assert ("an answer is not given", 2) in kinds(SAID[0], other, *SAID[2:])
    assert ("a question is not asked", 1) in kinds("How is the weather?", *SAID[1:])


def test_an_altered_number_is_found_and_named() -> None:
    flaws = find_flaws(talk(*change(1, "812", "821")))
    assert [flaw.kind for flaw in flaws if flaw.turn == 2] == [
        "an answer is not given",
        "a number that the text does not have",
    ]
    assert any("821" in flaw.sentence for flaw in flaws)
    assert kinds(*change(1, "812", "1931")) == [
        ("an answer is not given", 2),
        ("a number that the answer does not have", 2),
    ]


def test_one_who_answers_instead_of_asking_is_the_wrong_speaker() -> None:
    """W20: who speaks is fixed, so the right words at the wrong place are a flaw."""
    assert ("the wrong speaker", 1) in kinds(SAID[1], SAID[0], SAID[2], SAID[3])
    assert ("the wrong speaker", 3) in kinds(SAID[0], SAID[1], SAID[3], SAID[2])
    assert "the wrong speaker" not in {kind for kind, _ in kinds(SAID[0], SAID[3], *SAID[2:])}


def test_a_colon_begins_no_turn_and_a_label_is_a_flaw() -> None:
    """W20: in the original a colon anywhere began a turn, and lines without one vanished."""
    assert kinds(*change(1, "It is", "Here it is: it is")) == []
    assert ("a speaker's label within a message", 2) in kinds(
        *change(1, "Bridge.", "Bridge. User: Thanks.")
    )
    assert ("a speaker's label within a message", 1) in kinds(
        *change(0, "I have", "Mira: I have"), scene=SCENE
    )


def test_copies_of_what_a_model_was_shown_are_found() -> None:
    """W21: the original looked for ten phrases of one example."""
    example = "Answer: The stones of a tide mill turn for about five hours in one tide."
    texts = change(3, "nearby.", "nearby. The stones of a tide mill turn for about five hours.")
    assert find_flaws(talk(*texts)) == []
    copied = [flaw for flaw in find_flaws(talk(*texts), [example]) if flaw.turn == 4]
    assert [flaw.kind for flaw in copied] == ["copied from the prompt"]
    assert "the stones of a tide mill" in copied[0].sentence


def test_what_names_the_same_source_is_not_said_again() -> None:
    chunk = replace(CHUNK, source="Hints for Walkers, by the Northern Office of Public Footpaths")
    asked = "What does the Northern Office of Public Footpaths advise on {}?"
    told = "The Northern Office of Public Footpaths advises: “{}”"
    pairs = (
        replace(LENGTH, question=asked.format("boots"), answer=told.format("Air your boots.")),
        replace(STONE, question=asked.format("maps"), answer=told.format("Fold your maps dry.")),
    )
    turns = [
        Turn(speaker, text)
        for pair in pairs
        for speaker, text in (("human", pair.question), ("gpt", pair.answer))
    ]
    assert find_flaws(Conversation("k1", tuple(turns), pairs, chunk)) == []
    again = (turns[0], turns[1], replace(turns[2], text=f"Well. {pairs[0].question}"), turns[3])
    assert find_flaws(Conversation("k1", again, pairs, chunk))


def test_nobody_narrates_for_the_other() -> None:
    """W22, impersonation."""
    narrated = ("one narrates for the other", 2)
    for words in (
        "*Kofi nods slowly.* It is",
        "Kofi smiles. It is",
        "“How long?” he asked. It is",
        "Kofi Nagy quickly looked up. It is",
    ):
        assert narrated in kinds(*change(1, "It is", words), scene=SCENE), words
    for words in ("*She nods at Kofi.* It is", "Look, Kofi, it is", "*Mira nods.* It is"):
        assert kinds(*change(1, "It is", words), scene=SCENE) == [], words
    assert ("an action without its end", 2) in kinds(
        *change(1, "It is", "*She nods. It is"), scene=SCENE
    )


def test_offers_of_more_help_are_flaws() -> None:
    """W33: nearly all of the original's examples ended so."""
    for offer in (
        "Is there anything else?",
        "Let me know if you have more questions.",
        "Would you like to know more?",
        "I hope this helps!",
    ):
        texts = change(3, "nearby.", f"nearby. {offer}")
        assert ("an offer of more help", 4) in kinds(*texts), offer


def test_two_turns_do_not_end_with_the_same_sentence() -> None:
    """W22, repeated closers that no list of phrases has."""
    texts = [
        f"{text} Such is life on rivers." if number % 2 else text
        for number, text in enumerate(SAID)
    ]
    assert kinds(*texts) == [("two turns end alike", 4)]


def test_nobody_is_called_stranger() -> None:
    assert ("somebody is called Stranger", 2) in kinds(
        *change(1, "It is", "Well, Stranger, it is"), scene=SCENE
    )


def test_an_answer_is_not_told_before_it_is_asked_for() -> None:
    early = change(
        1, "Bridge.", "Bridge, and the granite for it was quarried nearby by Maud Ferris."
    )
    assert ("an answer is told too early", 4) in kinds(*early)


def test_nothing_is_said_twice() -> None:
    assert ("a turn says another one again", 4) in kinds(SAID[0], SAID[3], SAID[2], SAID[3])
    assert ("a sentence twice in a turn", 2) in kinds(
        *change(1, "Bridge.", "Bridge. It is 812 metres long, the Kelvin Bridge.")
    )


def test_slips_of_a_pen_are_found() -> None:
    assert ("a misspelt word", 2) in kinds(*change(1, "It is", "Certianly, it certanly is"))
    assert ("two full stops", 2) in kinds(*change(1, "Bridge.", "Bridge.."))
    assert ("points at the text", 3) in kinds(*change(2, "And why", "And, by the passage, why"))
    assert ("letters of another script", 2) in kinds(*change(1, "Bridge.", "Bridge 桥."))


def test_only_words_that_nobody_knows_and_that_mean_another_are_misspelt() -> None:
    assert find_misspelt("They recieved three kilometres of colourful rope.", ()) == ["recieved"]
    assert find_misspelt("The Kelvni was unsalted, organised, harbourside and zymurgic.", ()) == []
    assert find_misspelt("They recieved it.", {"recieved"}) == []
    assert find_misspelt("Sie haben es erhalden.", (), "german") == []


def test_a_question_in_its_own_words_is_asked_whatever_leads_to_it() -> None:
    led = f"I am reading about granite that is quarried nearby. {LENGTH.question}"
    assert ("a question is not asked", 1) not in kinds(led, *SAID[1:])


def test_an_answer_may_have_the_words_of_its_question() -> None:
    pair = replace(STONE, question="What did Maud Ferris build of granite?")
    answer = "Maud Ferris built a bridge of granite."
    turns = (Turn("human", "What bridge did Maud Ferris build of granite?"), Turn("gpt", answer))
    assert find_flaws(Conversation("k1", turns, (replace(pair, answer=answer),), CHUNK)) == []


def test_a_number_of_another_sentence_is_no_answer() -> None:
    assert "1931" in CHUNK.text
    asked = change(0, "How long", "It was opened in 1931. How long")
    told = "It is 812 metres long, the Kelvin Bridge of 1931."
    assert kinds(asked[0], told, *SAID[2:]) == []


def test_a_sentence_that_breaks_off_is_found() -> None:
    broken = change(0, "I have often walked over the Kelvin Bridge.", "I know the length of the.")
    assert ("a sentence breaks off", 1) in kinds(*broken)
