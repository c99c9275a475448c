"""Scripted replies of the pretraining stage: a bridge, told in every form."""

import re
from collections.abc import Mapping

from generation_functions.engine.protocol import Request
from generation_functions.pipelines.question_steps import JUDGE_CHUNK
from generation_functions.pipelines.variations import PRETRAINING_STEPS
from generation_functions.steps.prompts import load_prompt

TEXT = """\
The Arno Bridge was opened on 4 May 1931. The Arno Bridge is 812 metres long. Maud Ferris built the
Arno Bridge of granite. Granite does not rot in salt water.
"""
FACTS = """\
[1] The Arno Bridge was opened on 4 May 1931.
[2] The Arno Bridge is 812 metres long.
[3] Maud Ferris built the Arno Bridge of granite.
[4] Granite does not rot in salt water."""
INFERRED = "[3, 4] The Arno Bridge does not rot in salt water."
TURNED = """\
[1] 4 May 1931 was the day on which the Arno Bridge was opened.
[2] 812 metres is how long the Arno Bridge is.
[3] Granite is what Maud Ferris built the Arno Bridge of."""
REPLIES: Mapping[str, str] = {
    "judge_chunk": "Holds: A bridge.\nVerdict: facts",
    "list_facts": FACTS,
    "infer_facts": INFERRED,
    "turn_facts": TURNED,
    "write_question_list": "\n\n".join(
        [
            "Question: How long is the Arno Bridge?\nAnswer: The Arno Bridge is 812 metres long.",
            "Question: What is it built of?\nAnswer: It is built of granite.",
            "Question: Who built the Arno Bridge?\nAnswer: It was built by Maud Ferris.",
        ]
    ),
    "write_markup": '<entry title="the Arno Bridge">\n  <part topic="building">\n'
    '    <amount of="length">812 metres</amount>\n'
    "    <fact>Granite was used by Maud Ferris.</fact>\n"
    "  </part>\n</entry>",
    "write_article": "# The Arno Bridge\n\nMaud Ferris built it.\n\n## Opening\n\nOn 4 May 1931 it "
    "was opened.\n\n## Granite\n\nSalt water does not rot the granite.",
    "write_structured_data": '{\n  "bridge": "the Arno Bridge",\n  "metres_long": 812\n}',
    "write_list": "The bridge:\n- The Arno Bridge is 812 metres long.\n\n"
    "Granite:\n- It does not rot.",
    "write_reasoning_chains": "Given: Granite does not rot in salt water.\n"
    "So: The bridge does not rot.\n\n"
    "Given: The bridge is built of granite.\nSo: The bridge does not rot.",
    "write_effect_to_cause": "Result: The bridge does not rot.\n"
    "Goes back to: It is built of granite.\n\n"
    "Result: The Arno Bridge stands.\nGoes back to: Maud Ferris built it.",
    "write_stream_of_thought": "How long was the Arno Bridge? It is 812 metres long.\n\n"
    "And Maud Ferris built it of granite.",
}


NAMES = {
    load_prompt(step.name).content.system: step.name for step in (JUDGE_CHUNK, *PRETRAINING_STEPS)
}


def step_of(request: Request) -> str:
    """The step that a request is of."""
    return NAMES[request.messages[0].content]


def tell(request: Request) -> str:
    """Answer as REPLIES say, of the bridge that the prompt is about."""
    asked, step = request.messages[-1].content, step_of(request)
    name = re.findall(r"The (\w+) Bridge", asked)
    reply = REPLIES[step].replace("Arno", name[0]) if name else REPLIES[step]
    if step == "turn_facts":
        shown = re.findall(r"^\[\d\]", asked, re.MULTILINE)
        reply = "\n".join(line for line in reply.splitlines() if line[:3] in shown)
    return reply
