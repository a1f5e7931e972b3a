"""The simulator's tables: what classes do at each level, with which apps, and what apps report of it.

All numbers are guesses in the spirit of the models' descriptions; nothing here was measured in a school.
Rows of five hold a value for each latent level, entry to transformation; values between are interpolated.
"""

from types import MappingProxyType
from typing import Final

from shared.words import Action

Levels = tuple[float, float, float, float, float]

# How often a stretch of a lesson is spent so, in the order in which stretches tend to follow each other.
ACTIVITIES: Final = MappingProxyType[str, Levels](
    {
        "plan": (0.01, 0.02, 0.05, 0.07, 0.07),
        "watch": (0.40, 0.23, 0.11, 0.06, 0.04),
        "read": (0.24, 0.20, 0.13, 0.08, 0.05),
        "research": (0.04, 0.07, 0.12, 0.14, 0.12),
        "film": (0.00, 0.01, 0.03, 0.06, 0.10),
        "make": (0.04, 0.11, 0.20, 0.23, 0.23),
        "together": (0.01, 0.03, 0.08, 0.13, 0.15),
        "practise": (0.25, 0.30, 0.19, 0.09, 0.05),
        "reflect": (0.01, 0.02, 0.05, 0.07, 0.08),
        "hand_round": (0.00, 0.01, 0.03, 0.05, 0.05),
        "publish": (0.00, 0.00, 0.01, 0.02, 0.06),
    }
)

# How many apps the class may choose from, how many children use the one the teacher shows, how many use
# two in one stretch, how often a watched stretch is shown on the teacher's screen alone, how often work is
# taken up again per minute of making, and the share of children who stray in a stretch.
OPTIONS: Final[Levels] = (1.0, 1.2, 2.0, 3.2, 4.5)
FOLLOW: Final[Levels] = (0.97, 0.92, 0.78, 0.58, 0.42)
WANDER: Final[Levels] = (0.03, 0.06, 0.14, 0.25, 0.32)
SHOWN: Final[Levels] = (0.45, 0.35, 0.20, 0.12, 0.10)
REVISING: Final[Levels] = (0.03, 0.05, 0.09, 0.16, 0.22)
OFF_TASK: Final[Levels] = (0.11, 0.10, 0.08, 0.07, 0.06)

# Apps by activity. Those without a domain in the catalogue work offline: the network shows nothing of them.
APPS: Final = MappingProxyType[str, tuple[str, ...]](
    {
        "plan": ("google_classroom", "schoology", "canvas", "showbie", "google_calendar", "apple_reminders"),
        "watch": ("youtube", "brainpop", "edpuzzle", "discovery_education", "pbs_learningmedia", "nearpod"),
        "read": ("epic", "newsela", "commonlit", "raz_kids", "encyclopedia_britannica", "apple_books"),
        "research": ("google_search", "wikipedia", "kiddle", "encyclopedia_britannica", "google_earth"),
        "film": ("apple_camera", "clips", "wevideo", "seesaw", "book_creator", "flipgrid"),
        "make": (
            "book_creator",
            "canva",
            "explain_everything",
            "google_docs",
            "scratch",
            "keynote",
            "imovie",
            "garageband",
            "minecraft_education",
        ),
        "together": ("google_docs", "padlet", "jamboard", "canva", "microsoft_teams", "freeform"),
        "practise": ("kahoot", "quizizz", "blooket", "gimkit", "ixl", "khan_academy", "i_ready"),
        "reflect": (
            "seesaw",
            "flipgrid",
            "formative",
            "mentimeter",
            "classdojo_for_students",
            "apple_journal",
        ),
        "hand_round": ("padlet", "seesaw", "google_classroom", "google_drive"),
        "publish": ("seesaw", "google_sites", "wakelet", "adobe_spark", "book_creator"),
    }
)

# In these subjects other apps serve an activity.
SUBJECT_APPS: Final = MappingProxyType[tuple[str, str], tuple[str, ...]](
    {
        ("practise", "math"): ("khan_academy", "ixl", "prodigy", "zearn", "dreambox", "deltamath"),
        ("make", "math"): ("desmos", "geogebra", "explain_everything", "numbers", "google_docs"),
        ("practise", "english"): ("lexia_core5", "noredink", "quill", "read_theory", "i_ready"),
        ("practise", "science"): ("phet", "explorelearning", "legends_of_learning", "gimkit", "quizizz"),
        ("watch", "science"): ("mystery_science", "generation_genius", "brainpop", "youtube"),
        ("practise", "history"): ("icivics", "kahoot", "quizizz", "blooket"),
        ("practise", "language"): ("duolingo", "quizlet", "conjuguemos", "kahoot"),
        ("make", "music"): ("garageband", "soundtrap", "chrome_music_lab", "book_creator"),
        ("make", "art"): ("canva", "pixlr", "tinkercad", "book_creator", "keynote"),
        ("make", "computing"): ("scratch", "makecode", "swift_playground", "tynker", "minecraft_education"),
    }
)

# First letters by which a subject is known; others use the common apps.
SUBJECT_WORDS: Final = MappingProxyType(
    {
        "math": "math",
        "algebra": "math",
        "geometry": "math",
        "english": "english",
        "reading": "english",
        "literacy": "english",
        "science": "science",
        "biology": "science",
        "chemistry": "science",
        "physics": "science",
        "history": "history",
        "social": "history",
        "geography": "history",
        "spanish": "language",
        "french": "language",
        "german": "language",
        "language": "language",
        "music": "music",
        "art": "art",
        "comput": "computing",
        "coding": "computing",
    }
)

# Grades, lowest and highest, outside which an app is not used (kindergarten is 0).
GRADES: Final = MappingProxyType[str, tuple[int, int]](
    {
        "epic": (0, 6),
        "raz_kids": (0, 5),
        "kiddle": (0, 6),
        "classdojo_for_students": (0, 6),
        "lexia_core5": (0, 5),
        "dreambox": (0, 8),
        "prodigy": (1, 8),
        "mystery_science": (0, 5),
        "i_ready": (0, 8),
        "canvas": (6, 12),
        "schoology": (6, 12),
        "microsoft_teams": (5, 12),
        "deltamath": (6, 12),
        "desmos": (6, 12),
        "noredink": (5, 12),
        "conjuguemos": (6, 12),
        "commonlit": (3, 12),
        "newsela": (2, 12),
    }
)

DISTRACTIONS: Final = (
    "coolmath_games",
    "roblox",
    "poki",
    "tiktok",
    "snapchat",
    "spotify",
    "little_alchemy",
    "espn",
    "instagram",
    "io_games",
)

# Apps of which a school may have a version that reports what is done in it.
MAY_REPORT: Final = (
    "book_creator",
    "explain_everything",
    "seesaw",
    "padlet",
    "flipgrid",
    "canva",
    "google_docs",
    "wevideo",
    "google_classroom",
    "khan_academy",
    "kahoot",
    "quizizz",
    "newsela",
    "edpuzzle",
    "nearpod",
    "scratch",
    "adobe_spark",
)

# What a reporting app says in an activity: action, times a minute, typical seconds where it knows a duration.
REPORTS: Final = MappingProxyType[str, tuple[tuple[Action, float, float], ...]](
    {
        "plan": ((Action.PLAN, 0.20, 0.0),),
        "watch": ((Action.VIEW, 0.25, 150.0),),
        "read": ((Action.VIEW, 0.30, 100.0),),
        "research": ((Action.VIEW, 0.30, 60.0),),
        "film": ((Action.CAPTURE, 0.30, 0.0), (Action.AR, 0.004, 0.0)),
        "make": ((Action.CREATE, 0.05, 0.0), (Action.CAPTURE, 0.04, 0.0), (Action.SHARE_PEER, 0.02, 0.0)),
        "together": ((Action.COEDIT, 0.25, 0.0), (Action.MESSAGE, 0.10, 0.0), (Action.SHARE_PEER, 0.03, 0.0)),
        "practise": ((Action.PRACTISE, 0.80, 40.0),),
        "reflect": ((Action.REFLECT, 0.20, 0.0),),
        "hand_round": ((Action.SHARE_PEER, 0.25, 0.0), (Action.VIEW, 0.20, 30.0)),
        "publish": ((Action.PUBLISH, 0.12, 0.0), (Action.SHARE_OUTSIDE, 0.02, 0.0)),
    }
)
# In these each visit begins with something new, which is then revised at the level's rate.
MAKING: Final = ("make", "together")
