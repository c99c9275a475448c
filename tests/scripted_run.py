"""A whole run on scripted engines, in a process of its own that tests may kill.

`python tests/scripted_run.py CONFIG [DELAY]`: replies are drawn from the grammars, so that
the same config always ends in the same files. Prints a line for every answered request.
"""

import asyncio
import re
import sys

from generation_functions.engine.protocol import Completion, Request
from generation_functions.engine.scripted import ScriptedEngine, draw_reply
from generation_functions.session import open_run
from generation_functions.stages import STAGES


def friendly_reply(request: Request) -> str:
    """Draw a reply; let most verdicts be good ones, and say what a conversation has to say."""
    asked = request.messages[-1].content
    if asked.endswith(("Write the conversation.", "Write the conversation anew.")):
        return _write_conversation(asked)
    if re.search(r"(Write the (card|opening)\.|Plan the scene\.|Who is .+\?)\Z", asked):
        return _write_scene(asked)
    if asked.endswith("Plan what to ask."):
        return _write_plan(asked)
    if asked.endswith("about this.") and "What was wrong" not in asked:
        return _write_pairs(asked, request.seed)
    if asked.startswith("Statement: "):
        return _ask_of(asked)
    for extra in range(50):
        reply = draw_reply(
            Request(
                request.messages,
                request.grammar,
                request.sampling,
                request.seed + extra,
                request.max_tokens,
            )
        )
        _, found, verdict = reply.partition("Verdict: ")
        if verdict.startswith("yes\nWords: "):
            return "Verdict: yes\nWords: it"
        if not found or verdict in ("facts", "yes", "pass"):
            return reply
    return reply


def _write_conversation(asked: str) -> str:
    """Say the pairs in their own words, by the speakers that the prompt names."""
    pairs = re.findall(r"^Question(?: \d+)?: (.+)\nAnswer(?: \d+)?: (.+)", asked, re.MULTILINE)
    people = re.search(r"\n(.+) asks, (.+) answers\. Write the conversation(?: anew)?\.$", asked)
    asker, teller = people.groups() if people else ("User", "Assistant")
    return "\n".join(
        f"Pair {number}\n{asker}: {question}\n{teller}: {answer}"
        for number, (question, answer) in enumerate(pairs, start=1)
    )


def _write_scene(asked: str) -> str:
    """Write what two characters need, with nothing in it that any check looks for."""
    name = re.findall(r"^(?:Name|Answers): (.+)$", asked, re.MULTILINE)[0]
    if asked.endswith("the card."):
        traits = "calm, 61 years old, left-handed, a reader, tidy, fond of tea"
        return f"Name: {name}\nTraits: {traits}\nLife: Knows people.\nVoice: Hums a little."
    if asked.endswith("the scene."):
        return "Place: A small kitchen.\nOccasion: The rain will not stop.\nMood: They smile."
    if asked.endswith("the opening."):
        secondary = re.findall(r"^Asks: (.+)$", asked, re.MULTILINE)[0]
        return f"{secondary} shakes the rain from a coat. {name} puts the kettle on."
    return f"{name} is somebody who likes to be asked."


def _write_plan(asked: str) -> str:
    """Name the first whole sentences by their first words."""
    sentences = re.findall(r"^\[(\d+)\] (.+\.)$", asked, re.MULTILINE) or [("1", "Nothing")]
    return "\n".join(
        f"- what is told of {_begin_small(sentence, 6)} [{number}]"
        for number, sentence in sentences[:4]
    )


def _write_pairs(asked: str, seed: int) -> str:
    """Make pairs of the chunk's sentences, so that they are grounded, and of the seed."""
    word = "".join(chr(ord("a") + (seed >> 4 * place) % 16) for place in range(7))
    _, planned, plan = asked.partition("Worth asking about:\n")
    numbered = r"^(\d+(?:, \d+)*): (.+)$" if planned else r"^\[(\d+)\] (.+\.)$"
    sentences = re.findall(numbered, plan or asked, re.MULTILINE)
    chosen = sentences[: 1 + seed % 2] if sentences else [("1", "There is nothing to tell.")]
    return "\n\n".join(
        f"Sentences: {number}\nAnswer: {sentence.removesuffix('.')}.\n"
        f"Question: What does {word} know about {_begin_small(sentence, 4)}?"
        for number, sentence in chosen
    )


def _ask_of(asked: str) -> str:
    """Ask for the end of a statement; answer each question below it with all of it."""
    statement, *questions = asked.removeprefix("Statement: ").strip().splitlines()
    if questions:
        return "\n".join(f"{number}: {statement}" for number in range(1, len(questions) + 1))
    words = statement.removesuffix(".").split()
    return f"Question: What is told of {_begin_small(statement, max(1, len(words) * 2 // 3))}?"


def _begin_small(sentence: str, words: int) -> str:
    """Return the first words, a small letter first, so that none is taken for a name."""
    return " ".join(sentence.split()[:words]).replace(sentence[0], sentence[0].lower(), 1)


class TalkingEngine(ScriptedEngine):
    """Says each request's seed once it has answered."""

    async def complete(self, request: Request) -> Completion:
        completion = await super().complete(request)
        print(f"answered {request.seed} {hash(request.messages[-1].content)}", flush=True)
        return completion


async def main(config: str, delay: float) -> None:
    engine = TalkingEngine(friendly_reply, delay=delay)
    run = open_run(config, {"small": engine, "large": engine})
    run.progress = False
    for stage in STAGES.values():
        await stage(run, None)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
