"""The language of a text, guessed by its script and its commonest words, without a model."""

import re
from collections import Counter

DEFAULT = "english"
FEWEST_WORDS = 0.06  # share of a text's words that must be in a language's list
SAMPLE = 8000  # characters at the beginning, in the middle and at the end

# Names are those of Punkt's parameter sets.
_COMMON = {
    "english": "the of and to in is that was it for as with be by on not are this from or have",
    "german": "der die und das den von zu mit sich des auf ist im dem nicht ein eine als auch es",
    "french": "le la les des et est une dans que qui du pour pas sur au avec par ce il sont",
    "spanish": "el la los las que y en del se por una con para es como su más lo al fue",
    "portuguese": "o os as que do da em um uma para não com dos se na por mais é ao foi",
    "italian": "il di che la e per un una non del della si con da sono le gli nel dei è",
    "dutch": "de het een van en dat te op voor met niet zijn aan er ook door als naar bij was",
    "swedish": "och att det som en på är av för med den till inte har ett om jag var sig från",
    "danish": "og at det som en på er af for med den til ikke har et om var sig fra blev",
    "norwegian": "og å det som en på er av for med den til ikke har et om var seg fra ble",
    "finnish": "ja on ei se että oli hän mutta kun niin joka myös ovat sen kuin olla tai hänen",
    "estonian": "ja on ei et see oli ta mis kui ning aga ka oma selle või nii siis seda olid",
    "polish": "i w na nie się z do to że jest od przez jak po ale za jego są oraz który",
    "czech": "a se na je v že to s z do ve by pro jako ale byl jsou podle jeho které",
    "slovene": "in je se na da v so za ki ne bi pa z tudi kot od po bil iz ali",
    "turkish": "ve bir bu için de da ile olarak çok daha gibi olan sonra kadar ne ancak her",
}
_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
_SCRIPTS = {
    "greek": re.compile("[\u0370-\u03ff]"),
    "russian": re.compile("[\u0400-\u04ff]"),
    "malayalam": re.compile("[\u0d00-\u0d7f]"),
}
# Scripts that set no words apart: Thai and Lao, Burmese, Khmer, kana, Han.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"[^\W\d_]+")


def guess_language(text: str) -> str:
    """Return the language whose Punkt parameters suit `text` best; in doubt, English."""
    middle = max(0, len(text) // 2 - SAMPLE // 2)
    sample = (
        text
        if len(text) <= 3 * SAMPLE
        else (text[:SAMPLE] + text[middle : middle + SAMPLE] + text[-SAMPLE:])
    )
    letters = sum(character.isalpha() for character in sample)
    for language, script in _SCRIPTS.items():
        if len(script.findall(sample)) > letters / 2:
            return language
    words = Counter(_WORD.findall(sample.lower()))
    found = {language: sum(words[word] for word in common) for language, common in _WORDS.items()}
    best = max(found, key=lambda language: (found[language], language == DEFAULT))
    return best if found[best] > FEWEST_WORDS * words.total() else DEFAULT
