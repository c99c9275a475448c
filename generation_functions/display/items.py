"""Question-answer pairs as a table."""

from collections.abc import Sequence

from generation_functions.display.markup import Html
from generation_functions.display.tables import show_table
from generation_functions.records import QAPair


def show_pairs(pairs: Sequence[QAPair], most: int = 10) -> Html:
    """Return the first pairs, each with the sentences that it rests on."""
    rows = [
        {
            "question": pair.question,
            "answer": pair.answer,
            "sentences_it_rests_on": pair.quote,
            "source": pair.chunk.source,
        }
        for pair in pairs[:most]
    ]
    return show_table(rows, empty="No pair has survived.")
