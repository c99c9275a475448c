"""A right exchange of each way about one bridge, for tests of the ways of asking."""

from dataclasses import replace

from bridge import CHUNK

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.pipelines.readings import read_together
from generation_functions.pipelines.samples import make_chunk
from generation_functions.pipelines.way_steps import WayRequest

ARNO = replace(
    CHUNK,
    source="On Bridges, by A. Mason",
    text=(
        "The Arno Bridge was opened on 4 May 1931 after six years of work. It is 812 metres long "
        "and stands on nine piers of granite. Its engineer was Maud Ferris, who had built three "
        "smaller bridges before. Paint on the Arno Bridge is renewed every twelve years, because "
        "salt from the sea eats through it."
    ),
)
BRENT = make_chunk(
    "The Brent Lock lets barges climb eleven metres and is 90 metres long. Its engineer was Maud "
    "Ferris, who later built the Arno Bridge. Gates of the Brent Lock are made of oak.",
    "Locks and Weirs",
)
OTHER = make_chunk("Dough rises under a damp cloth, and salt makes the crumb firm.", "Bread")
CORPUS = ChunkIndex([ARNO, BRENT, OTHER])
REQUEST = WayRequest("w1", read_together([ARNO, BRENT]))
OPENING = (
    "2: The Arno Bridge stands on nine piers of granite.\n"
    "Question: On what does the Arno Bridge stand?\n"
    "Answer: The Arno Bridge stands on nine piers of granite."
)
REPLIES = {
    "openended": (
        "1, 2: The Arno Bridge was opened in 1931 after six years of work and is 812 metres long.\n"
        "6: Maud Ferris, who built the Arno Bridge, was the engineer of the Brent Lock too.\n"
        "Question: How did the Arno Bridge come to be built, and by whom?\n"
        "Answer: The Arno Bridge took six years of work and was opened in 1931. Maud Ferris, who "
        "was the engineer of the Brent Lock too, built it 812 metres long."
    ),
    "negative": (
        "2: The Arno Bridge stands on nine piers of granite.\n"
        "Wrong: The Arno Bridge stands on twelve piers of oak.\n"
        "Question: Why was oak chosen for the twelve piers on which the Arno Bridge stands?\n"
        "Answer: The Arno Bridge does not stand on piers of oak. It stands on nine piers of "
        "granite."
    ),
    "vague": (
        "2: The Arno Bridge is 812 metres long and stands on nine piers of granite.\n"
        "Name: Arno Bridge\n"
        "Meant: How long is the Arno Bridge?\n"
        "Question: How long is that structure on nine piers of granite that Maud Ferris built?\n"
        "Answer: That is the Arno Bridge. The Arno Bridge is 812 metres long."
    ),
    "followup": (
        "4: Paint on the Arno Bridge is renewed every twelve years because salt eats through it.\n"
        "Meant: How often is the paint on the Arno Bridge renewed?\n"
        "Question: And how often is it painted?\n"
        "Answer: Paint on the Arno Bridge is renewed every twelve years."
    ),
    "hallucination": (
        "2: The Arno Bridge stands on nine piers of granite.\n"
        "Thing: the Welby swing span\n"
        "Question: How heavy is the Welby swing span of the bridge?\n"
        "Unknown: I do not know of a Welby swing span.\n"
        "Known: The Arno Bridge is 812 metres long and stands on nine piers of granite."
    ),
    "comparison": (
        "2: The Arno Bridge is 812 metres long.\n"
        "5: The Brent Lock is 90 metres long.\n"
        "One: Arno Bridge\n"
        "Other: Brent Lock\n"
        "Quality: metres long\n"
        "Question: How long is the Arno Bridge, compared with the Brent Lock?\n"
        "Answer: The Arno Bridge is 812 metres long and the Brent Lock 90 metres."
    ),
}
