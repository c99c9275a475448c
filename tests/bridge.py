"""A chunk about a bridge with two right pairs, for tests of conversations."""

from dataclasses import replace

from generation_functions.records import Chunk, QAPair

CHUNK = Chunk(
    uuid="c1",
    document="d1",
    directory="texts",
    source="On Bridges, by A. Mason",
    text="The Kelvin Bridge was opened on 4 May 1931. Its engineer Maud Ferris built it of granite,"
    " because granite was quarried nearby. It is 812 metres long.",
    start=0,
    end=90,
    tokens=20,
)
LENGTH = QAPair(
    uuid="p1",
    question="How long is the Kelvin Bridge?",
    answer="The Kelvin Bridge is 812 metres long.",
    sentences=(3,),
    quote="It is 812 metres long.",
    chunk=CHUNK,
)
STONE = replace(
    LENGTH,
    uuid="p2",
    question="Why did Maud Ferris build the Kelvin Bridge of granite?",
    answer="Maud Ferris built it of granite because granite was quarried nearby.",
    sentences=(2,),
)
