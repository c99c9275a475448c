"""Names for the two people of a conversation: chosen by code, and nobody of the source's."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from generation_functions.choosing import rank
from generation_functions.documents.titles import parse_name
from generation_functions.errors import Rejected
from generation_functions.pipelines.wording import names
from generation_functions.records import ConversationInfo

# Single words in Latin letters, so that any model can write them. Given and family name are
# drawn each for itself: who is called what says nothing about where somebody comes from.
GIVEN_NAMES = tuple(
    """
    Abena Adaeze Adebayo Agnieszka Ahmad Aiko Aino Aisha Akua Alejandro Alma Amina Amir Anahera
    Anaïs Andrei Anh Anneli Aolani Arash Arjun Astrid Ayşe Azadeh Babajide Bahar Beatriz Birgit
    Bogdan Bruna Burak Camila Catalina Cheng Chiamaka Chidi Ciarán Clément Cosmin Dagny Dalia
    Danika Dariusz Deepa Demba Dimitra Dinara Dmitri Duc Ebba Edmundo Eero Efua Eilidh Ekaterina
    Eleni Elif Emre Enzo Esperanza Farah Fatou Femi Fernanda Finlay Fumiko Gabriela Galina Giulia
    Goran Grażyna Gudrun Gustavo Habib Hadiza Hana Haruto Hassan Heleni Hinemoa Hiroshi Hoa Hugo
    Ibrahim Ifeoma Ignacio Ilse Imani Indira Inês Ioana Irina Isla Ismail Ivana Jamila Jarek
    Jelena Jerzy Jomo Jorge Joyce Juhani Kagiso Kalani Kamala Karim Katarzyna Kavita Kenji Khadija
    Kiri Kofi Kwame Laila Lamine Lars Leilani Leopoldo Li Liang Ligia Linh Ljubica Lorenzo Lucía
    Ludmila Luz Magda Mahmoud Maite Malik Manaia Marek Margit Mariam Mateo Mbali Mehdi Mei Mihai
    Milica Minh Miriam Mohan Moana Nadia Naledi Nasrin Neha Ngozi Niamh Nikolai Nneka Noor Nuno
    Oksana Olufemi Omar Oscar Paloma Parisa Pavel Petra Phuong Piotr Pooja Priya Quang Rafael
    Rania Rashid Ravi Renata Rhys Rosalind Ruslan Saana Salome Samira Sanjay Santiago Saoirse
    Selma Sergei Shirin Sibusiso Sinéad Sione Siti Solveig Soraya Stelian Sunil Svetlana Tadeusz
    Taika Takumi Tamar Tariq Tatiana Tendai Thandiwe Thiago Tiina Tomasz Tuva Ulrike Usha
    Valentina Vanja Vikram Wanjiru Wei Wiremu Xiomara Xin Yara Yasmin Yejide Yiannis Youssef Yuki
    Zahra Zanele Zdenka Zeynep Zofia Zuri
    """.split()
)
FAMILY_NAMES = tuple(
    """
    Abara Abdullayev Aguilar Ahmadi Akintola Alvarenga Amoah Andreou Aoki Appiah Arslan Asante
    Bakker Balogun Bangura Barros Batbayar Bautista Bergström Bielak Boateng Bondarenko Borgen
    Brankov Cabrera Cardoso Castellanos Çelik Chanda Chaudhary Chavez Chukwu Coetzee Contreras
    Costa Cruickshank Dahl Danjuma Demir Desai Diallo Diop Dlamini Dogan Duarte Dvořák Echeverría
    Egede Ekström Eriksen Espinoza Eze Falk Farahani Fernando Figueroa Forsberg Fujita Gallego
    Gashi Georgiou Ghosh Gomes Grabowski Guerrero Gunawardena Gutiérrez Hakimi Halvorsen Hamdan
    Hashimoto Haugen Heikkinen Hidalgo Hoxha Hussein Ibáñez Ikeda Ilić Imamura Iyer Jankowski
    Jansen Jensen Jovanović Kamau Kaplan Kapoor Karimi Kaya Keita Kelly Khatun Kiplagat Kobayashi
    Koroma Kovač Kowalczyk Kruger Kumari Kuznetsov Laine Larsen Lazarević Lindqvist Lobo Machado
    Mahlangu Makarov Mäkinen Malhotra Mansour Marchetti Marić Mbeki Medeiros Mehta Mendoza Mensah
    Mokoena Montoya Moreau Morimoto Mukherjee Musa Mutasa Mwangi Nagy Naidoo Navarro Ndiaye Nguyen
    Nieminen Njoroge Nkosi Novotny Nwosu Obi Odhiambo Ojeda Okafor Okoye Olsen Omondi Oyelaran
    Özdemir Paredes Parvez Patel Pedersen Pereira Petrov Phiri Pinto Popescu Quispe Rahimi
    Rantanen Reddy Restrepo Rossi Sabitova Salazar Sandoval Santos Sato Schäfer Sesay Shapiro
    Shrestha Silva Sithole Sokolov Soto Suleiman Suzuki Szabó Taiwo Tamaki Tanaka Tavares Tesfaye
    Thapa Torvald Traoré Tsosie Uchida Usman Vasquez Vermeulen Villanueva Virtanen Vlachos Waweru
    Wójcik Xu Yamada Yilmaz Zhang Zielinski Zulu
    """.split()
)

_WORD = re.compile(r"[^\W\d_]+")


def choose_names(
    info: ConversationInfo,
    seed: int,
    given: Sequence[str] = (),
    family: Sequence[str] = (),
) -> tuple[str, str]:
    """Return the names of the primary and the secondary, each "Given Family".

    They are drawn from `given` and `family`, where these are empty from the lists above.

    No part of a name occurs in the chunk, in its pairs or in the name of its source; the two
    people share no part and, where that can be had, no initial. Raises Rejected when the
    source uses up every name (of the lists above: it would have to be a list of names).
    """
    taken = find_words(_read(info))
    chosen: list[str] = []
    for person in ("primary", "secondary"):
        parts = []
        for kind, options in (("given", given or GIVEN_NAMES), ("family", family or FAMILY_NAMES)):
            ranked = rank(options, seed, info.uuid, person, kind)
            part = _choose_part([one for one in ranked if fold(one) not in taken], chosen)
            taken.add(fold(part))
            parts.append(part)
        chosen.append(" ".join(parts))
    return chosen[0], chosen[1]


def find_words(text: str) -> set[str]:
    """Return the words of a text, folded as `fold` does."""
    return {fold(word) for word in _WORD.findall(text)}


def find_author(source: str) -> set[str]:
    """Return the parts of the author's name, folded, from a source as Document writes it."""
    author = parse_name(source).author or ""
    return {part for part in find_words(author) if len(part) > 3}


def names_author(text: str, source: str) -> bool:
    """Whether a text has the whole name of the source's author, or a part of it as a name.

    An author may be called Young, or be an office: a part counts only with a capital, and
    not at the beginning of a sentence.
    """
    author = parse_name(source).author
    if author is None:
        return False
    whole, said = (" ".join(map(fold, _WORD.findall(one))) for one in (author, text))
    parts = {fold(name) for name in names(text)} & find_author(source)
    return bool(parts) or f" {whole} " in f" {said} "


@lru_cache(maxsize=4096)
def fold(word: str) -> str:
    """Return a word without case and accents, so that Ibáñez is Ibanez."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _choose_part(free: list[str], chosen: Iterable[str]) -> str:
    """Return the first free name with an initial that no earlier name has, else the first."""
    if not free:
        raise Rejected("no name is left that the source does not have")
    initials = {fold(part)[0] for name in chosen for part in name.split()}
    return next((one for one in free if fold(one)[0] not in initials), free[0])


def _read(info: ConversationInfo) -> str:
    chunk = info.chunk
    pairs = (f"{pair.question} {pair.answer} {pair.quote}" for pair in info.pairs)
    return "\n".join((chunk.source, chunk.text, *chunk.headings, *pairs))
