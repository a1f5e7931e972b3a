"""Subjects as a closed list: a roster's free text may name a teacher, and must not leave the school."""

import re
from typing import Final

OTHER: Final = "Other"
SHORTEST_STEM: Final = 5

# The first row with a word that the text begins or contains as a word wins.
_WORDS: Final = (
    ("Computing and technology", "comput coding technology engineering robotic informatics"),
    ("Mathematics", "math maths mathematics algebra geometry calculus statistics arithmetic"),
    ("Science", "science biology chemistry physics stem environmental astronomy"),
    ("English language arts", "english ela language-arts reading writing literacy literature"),
    (
        "World languages",
        "spanish french german italian latin chinese mandarin japanese world-language esl ell",
    ),
    ("Social studies", "social history geography civics economics government humanities"),
    ("Music", "music band choir orchestra"),
    ("Arts", "art arts design drama theatre theater photography media"),
    ("Physical education and health", "physical pe sport sports health gym dance"),
)


def subject_of(text: str) -> str:
    """One of a dozen subjects for a roster's own words; `Other` where none fits."""
    plain = text.lower().replace("language arts", "language-arts").replace("world language", "world-language")
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", plain)
    for subject, known in _WORDS:
        if any(_fits(word, stem) for word in words for stem in known.split()):
            return subject
    return OTHER


def _fits(word: str, stem: str) -> bool:
    return word == stem or (len(stem) >= SHORTEST_STEM and word.startswith(stem))
