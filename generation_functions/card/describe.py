"""A dataset card as Markdown, made of facts alone."""

from collections.abc import Iterable

from generation_functions.card.contents import describe_contents
from generation_functions.card.facts import CardFacts
from generation_functions.card.front_matter import write_front_matter
from generation_functions.card.limits import say_limits
from generation_functions.card.tables import NOT_MEASURED, make_table
from generation_functions.engine.model_facts import ModelFacts
from generation_functions.engine.plan import say_size
from generation_functions.pipelines.coverage import KINDS, NOTHING
from generation_functions.status import say_share

_REASONS = 3  # of a step that drops items


def describe(facts: CardFacts, folder: str = "") -> str:
    """Return the card, which ends with a line break.

    `folder` is the training folder that it is to lie in, "" for the folder of both. The same
    facts give the same text; nothing in it tells the time or a place on a disk.
    """
    parts = [
        write_front_matter(facts, folder),
        f"# {facts.subject}: training data made of documents",
        f"Made by Palimpsest {facts.version}, run `{facts.run}`, seed {facts.seed}. Every number "
        "below is from that run's own records, of the last pass of each stage; of what they do "
        f'not hold it says "{NOT_MEASURED}".',
        *facts.unfinished,
        *_section("What is in it", describe_contents(facts)),
        *_section("Sources", _describe_sources(facts)),
        *_section("Models", _describe_models(facts)),
        *_section("Prompts and grammars", _describe_prompts(facts)),
        *_section("Yields", _describe_yields(facts)),
        *_section("Judges", _describe_judges(facts)),
        *_section("Coverage", _describe_coverage(facts)),
        *_section("Duplicates and leakage", _describe_repeats(facts)),
        *_section("Switched off", _describe_off(facts)),
        *_section("What these numbers do not show", say_limits(facts)),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _section(heading: str, paragraphs: Iterable[str]) -> list[str]:
    return [f"## {heading}", *(list(paragraphs) or [f"{NOT_MEASURED.capitalize()}."])]


def _describe_sources(facts: CardFacts) -> list[str]:
    if facts.sources is None:
        return []
    rows = [
        (one.source, one.directory, one.language, one.licence or "not stated", f"{one.length:,}")
        for one in facts.sources
    ]
    mixed_in = (
        [
            f"Also mixed in: {', '.join(facts.generic)}. Whose rows these are, and under which "
            "licence, is not in the run's records."
        ]
        if facts.generic
        else []
    )
    unstated = sum(not one.licence for one in facts.sources)
    characters = sum(one.length for one in facts.sources)
    return [
        f"Documents: {len(rows):,}, with {characters:,} characters. Without a stated licence: "
        f"{unstated:,}. Where one is stated, it is what the file or the note beside it says, and "
        "nobody has checked it. A language that is not stated is guessed from the commonest words.",
        make_table(("document", "folder", "language", "licence as stated", "characters"), rows),
        *mixed_in,
    ]


def _describe_models(facts: CardFacts) -> list[str]:
    rows = [
        (
            one.model.file or one.model.name or "not known",
            _name(one.model),
            one.model.quantisation or "not stated",
            f"{one.model.parameters:,}" if one.model.parameters else "not known",
            say_size(one.model.size) if one.model.size else "not known",
            one.model.licence or "not stated",
            f"{one.replies:,}",
            f"`{one.model.fingerprint}`",
        )
        for one in facts.models
    ]
    head = "model|name|quantisation|parameters|size|licence as its file states|replies|fingerprint"
    asked = [f"- `{one.model.fingerprint}`: {', '.join(one.steps)}." for one in facts.models]
    return [make_table(head.split("|"), rows), "\n".join(asked)] if rows else []


def _name(model: ModelFacts) -> str:
    return ", ".join(one for one in (model.name, model.architecture) if one) or "not stated"


def _describe_prompts(facts: CardFacts) -> list[str]:
    rows = [
        (one.step, f"`{one.prompt}`", f"`{one.grammar}`" if one.grammar else "", f"{one.replies:,}")
        for one in facts.prompts
    ]
    if not rows:
        return []
    return [
        "Every reply is bound by a GBNF grammar. The run folder has each prompt, with its grammar, "
        "in `<step>/prompts/<hash>.json`; replies include votes and such as could not be used.",
        make_table(
            ("step", "hash of prompt and grammar", "SHA-256 of the grammar", "replies"), rows
        ),
    ]


def _describe_yields(facts: CardFacts) -> list[str]:
    rows = [
        (
            one.stage,
            one.name,
            *(f"{count:,}" for count in (one.taken, one.kept, one.rejected, one.failed)),
            "; ".join(f"{reason} ({items:,})" for reason, items in one.reasons[:_REASONS]),
        )
        for one in facts.yields
    ]
    if not rows:
        return []
    head = ("stage", "what", "in", "kept", "rejected", "failed", "commonest reasons")
    return ["In = kept + rejected + failed, for every line.", make_table(head, rows, most=200)]


def _describe_judges(facts: CardFacts) -> list[str]:
    if not facts.judges:
        return []
    rows = [
        (
            one.check,
            one.source,
            say_share(one.caught, one.bad, one.recall),
            say_share(one.refused, one.right, one.false_alarms),
        )
        for one in facts.judges
    ]
    return [
        "Pairs with known faults and right ones were mixed in, judged as all others, and left "
        "out. Recall is the share of the faulty that was caught, a false alarm a right pair that "
        "was refused; in brackets Wilson's 95 % interval, in percent.",
        make_table(("check", "planted", "recall", "false alarms"), rows),
        *(f"**{said}**" for said in facts.judge_warnings),
    ]


def _describe_coverage(facts: CardFacts) -> list[str]:
    if not facts.coverage:
        return []
    characters = sum(one.length for one in facts.coverage) or 1
    shares = {
        kind: sum(one.share(kind) * one.length for one in facts.coverage) / characters
        for kind in KINDS
    }
    said = ", ".join(f"{kind} {share:.1%}" for kind, share in shares.items())
    barest = sorted(facts.coverage, key=lambda one: (-one.share(NOTHING), one.source))
    rows = [(one.source, *(f"{one.share(kind):.0%}" for kind in KINDS)) for one in barest]
    return [
        f"Of {characters:,} characters: {said}. Facts, variations and questions may overlap; "
        "a question covers the sentences that its answer rests on.",
        make_table(("document", *KINDS), rows),
    ]


def _describe_repeats(facts: CardFacts) -> list[str]:
    said = []
    for one in facts.repeats:
        kinds = "".join(f", {count:,} {name}" for name, count in one.left_out.items() if count)
        left_out = sum(one.left_out.values())
        share = f" ({left_out / one.seen:.1%})" if one.seen else ""
        said.append(f"- {one.what}: {left_out:,} of {one.seen:,} left out{share}{kinds}.")
    if not any(one.what == "chunks" for one in facts.repeats):
        said.append(f"- chunks: {NOT_MEASURED}.")
    if facts.leaks is None:
        said.append(f"- text that the data shares with an exam: {NOT_MEASURED}.")
    for part, counts in (facts.leaks or {}).items():
        told = "; ".join(f"{what}: {number:,}" for what, number in counts.items())
        said.append(f"- questions of the exam, {part}: {told}.")
    said.append(f"- overlap with public benchmarks: {NOT_MEASURED}.")
    return ["\n".join(said)]


def _describe_off(facts: CardFacts) -> list[str]:
    said = [f"- {one}" for one in facts.off] or ["- No check was switched off."]
    if facts.not_made:
        said.append(f"- Not made: {', '.join(facts.not_made)}.")
    return ["\n".join(said)]
