"""Subjects as a closed list: a roster's free text may name a teacher, and must not leave the school."""

import re
from collections.abc import Iterable
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

# The first two digits of SCED course codes, which OneRoster asks for as `subjectCodes`.
_CODES: Final = {
    "01": "English language arts",
    "51": "English language arts",
    "02": "Mathematics",
    "52": "Mathematics",
    "03": "Science",
    "53": "Science",
    "04": "Social studies",
    "54": "Social studies",
    "05": "Arts",
    "55": "Arts",
    "06": "World languages",
    "56": "World languages",
    "08": "Physical education and health",
    "58": "Physical education and health",
    "10": "Computing and technology",
    "60": "Computing and technology",
}
_SCED: Final = re.compile(r"\d{5}[A-Za-z0-9.]*")


def subject_among(texts: Iterable[str], codes: Iterable[str]) -> str:
    """The first subject that lists of texts name, the best first; else that of a SCED code; else `Other`."""
    found = (subject_of(part) for text in texts for part in text.split(","))
    coded = (
        _CODES.get(code.strip()[:2], OTHER)
        for text in codes
        for code in text.split(",")
        if _SCED.fullmatch(code.strip())
    )
    return next((subject for subject in (*found, *coded) if subject != OTHER), OTHER)


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
