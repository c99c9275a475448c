"""Who talks with whom: the traits that are drawn for the two people of a conversation.

An axis is one question about a person (how warm? how old?) and its levels are the
possible answers. For each conversation one level of each axis is drawn, so that six axes of
four levels make some thousands of people. Make them yours:

- A level ends the sentence that begins with the person's name: "has all the time in the
  world." is read as "Ines Moreau has all the time in the world."
- An empty level ("") says nothing and leaves that side of the person to the model. Most
  axes want one: people who are remarkable in every way are all alike.
- Levels are drawn evenly. Write a level's thought twice, in other words, to have it twice as
  often. The order of axes and levels does not matter; adding a level changes only the
  conversations that draw it.
- Axes should not contradict each other: any level must go with any level of the others.

Either edit the axes here, or leave them alone and name a YAML file of your own in
`conversations.traits`:

    primary:                 # the one who knows and answers
      warmth: ["takes to people at once.", "", "keeps a distance."]
    secondary:               # the one who asks
      knowledge: ["knows nothing of the subject.", ""]

The era and the names are drawn elsewhere (`conversations.eras`, pipelines/naming.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from generation_functions.choosing import draw_number, rank
from generation_functions.errors import ConfigError

Axes = Mapping[str, tuple[str, ...]]

PRIMARY: Axes = {
    "warmth": (
        "takes to people at once and lets it show.",
        "",
        "is courteous and keeps a certain distance.",
    ),
    "patience": (
        "has all the time in the world and explains without hurry.",
        "",
        "is short of time and comes straight to the point.",
    ),
    "assertiveness": (
        "says what is so without hedging, and sets right what is wrong.",
        "",
        "is modest about knowing things, and knows them all the same.",
    ),
    "humour": (
        "makes dry jokes, most of them against oneself.",
        "is playful and likes a comparison that raises a smile.",
        "",
        "is earnest and leaves jokes to others.",
    ),
    "speech": (
        "talks in short everyday words.",
        "talks in the turns of phrase of a trade.",
        "",
        "chooses words with care and speaks in well-made sentences.",
    ),
    "age": (
        "is in the early twenties and new to the work.",
        "is in the middle of life.",
        "",
        "is past seventy and has seen fashions come and go.",
    ),
    "trade": (
        "works with both hands, in a workshop or a kitchen.",
        "works out of doors in all weathers.",
        "teaches, and not only the willing.",
        "works among papers, in an office or an archive.",
        "has another trade altogether and learned the subject for love of it.",
        "",
    ),
}

SECONDARY: Axes = {
    "motive": (
        "needs the answers for a piece of work that is due today.",
        "has come across something that does not add up and wants it cleared up.",
        "has a bet to settle.",
        "has to explain the matter to a child tomorrow.",
        "asks out of nothing but curiosity.",
        "",
    ),
    "manner": (
        "is sure of the ground and asks boldly.",
        "is cheerful and likes to chat.",
        "is sceptical and wants to hear reasons.",
        "",
    ),
    "speech": (
        "asks in few words.",
        "thinks aloud before the question comes.",
        "speaks politely and in whole sentences.",
        "",
    ),
    "knowledge": (
        "knows nothing of the subject and says so.",
        "knows the everyday side of the subject.",
        "works in a neighbouring field.",
        "",
    ),
}

# The axes of this program's ancestor, for those who want its kind of characters: flirtation
# (never more than that), boldness, and how good a person is.
ORIGINAL: Axes = {
    "flirtation": (
        "is prim and changes the subject at the mildest hint.",
        "",
        "is a flirt whose every other remark comes with a wink.",
    ),
    "assertiveness": (
        "is shy and speaks up only when asked.",
        "",
        "is bold and takes the lead at once.",
    ),
    "morality": (
        "is kind and wishes everybody well.",
        "is neither a saint nor a rogue.",
        "is awful with relish: vain, spiteful and proud of it.",
    ),
}


@dataclass(frozen=True, slots=True)
class Traits:
    """The axes of both people: the primary knows and answers, the secondary asks."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    primary: Axes
    secondary: Axes


PACKS: Mapping[str, Traits] = {
    "default": Traits(PRIMARY, SECONDARY),
    "original": Traits(ORIGINAL, SECONDARY),
    "none": Traits({}, {}),
}


def read_traits(name: str) -> Traits:
    """Return a pack by its name, or the axes of a YAML file.

    Raises ConfigError, which names the file and the axis, for a file that cannot be used.
    """
    if name in PACKS:
        return PACKS[name]
    try:
        content = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
        traits = TypeAdapter(Traits).validate_python(content)
    except OSError as error:
        raise ConfigError(
            f"`conversations.traits`: {name} is neither one of {', '.join(PACKS)} nor a file that "
            f"can be read ({error.strerror})."
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{name}: not readable as YAML: {error}") from error
    except ValidationError as error:
        raise ConfigError(
            f"{name}: expected `primary:` and `secondary:`, each with axes of levels such as "
            f"`warmth: [takes to people at once., '']`: {error}"
        ) from error
    empty = [axis for axes in (traits.primary, traits.secondary) for axis in axes if not axes[axis]]
    if empty:
        raise ConfigError(
            f"{name}: the axis `{empty[0]}` has no level. Give it some, or remove it."
        )
    return traits


def draw_levels(axes: Axes, *key: object) -> tuple[str, ...]:
    """Return a level of each axis, drawn by the key; empty ones are left out.

    The draw of one axis depends on its name and its levels alone, not on the other axes.
    """
    drawn = (rank(axes[axis], *key, axis)[0] for axis in sorted(axes))
    return tuple(level for level in drawn if level)


def draw_primary(
    axes: Axes, presets: Sequence[str], only_presets: bool, *key: object
) -> tuple[str, ...]:
    """Return the primary's instructions: levels of its axes, or one preset in their place.

    Where there are presets, half of the draws take one; with `only_presets` all do.
    """
    if presets and (only_presets or draw_number(*key, "preset or axes") % 2):
        return (rank(presets, *key, "preset")[0],)
    return draw_levels(axes, *key)
