"""Made-up items for the steps of data of which only a part is trained on."""

from collections.abc import Mapping
from typing import Any

from generation_functions.masked import RANDOM, Evidence, Grounded, Shown
from generation_functions.pipelines.correction_steps import (
    OF_WRONG,
    STAND_FIRM,
    WRITE_CORRECTION,
    DoubtRequest,
)
from generation_functions.pipelines.lack_steps import TELL_LACK, LackRequest
from generation_functions.pipelines.sample_items import CHUNK, PAIRS, Samples, read_pair
from generation_functions.records import make_uuid


def read_lack(fields: Mapping[str, Any]) -> LackRequest:
    """Return the question that an example's texts do not answer; what would is not known."""
    shown = tuple(
        Shown(str(number), str(one["source"]), str(one["text"]), RANDOM)
        for number, one in enumerate(fields["texts"])
    )
    return make_lack(str(fields["question"]), *shown)


def make_lack(question: str, *shown: Shown) -> LackRequest:
    """Return a request about a question whose answer rests on words that are nowhere."""
    asked = Grounded(make_uuid("samples", question), question, "Oakum.", (Evidence("", "Oakum."),))
    return LackRequest("samples", 0, asked, shown)


def read_doubt(fields: Mapping[str, Any]) -> DoubtRequest:
    """Return the pair of an example whose answer is doubted."""
    refused = str(fields["refused"])
    return DoubtRequest(read_pair(fields), str(fields["manner"]), refused, int(bool(refused)))


FOUND = Shown(CHUNK.uuid, CHUNK.source, CHUNK.text, RANDOM)
LACKS = (make_lack("Of what is oakum made?", FOUND, FOUND), make_lack("Who sold hemp in 1874?"))
DOUBTED = tuple(DoubtRequest(pair, OF_WRONG[number]) for number, pair in enumerate(PAIRS))

MASKED_SAMPLES: Mapping[str, Samples] = {
    TELL_LACK.name: Samples(LACKS, read_lack),
    WRITE_CORRECTION.name: Samples(DOUBTED, read_doubt),
    STAND_FIRM.name: Samples(DOUBTED, read_doubt),
}
