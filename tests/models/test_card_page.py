"""The model card: it says what a fit is and how sure, shows text as text, and needs nothing beside it."""

import dataclasses
import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import numpy as np
import pytest

from models.card.doubt import baseline, kappa_doubt, share_of
from models.card.drift import drift
from models.card.page import card
from models.card.summary import KEPT, OPEN, TURNED, Moved, headline, parts_of
from models.card.words import FEATURE_WORDS, figure, signed
from models.features.set1 import FEATURES
from models.integration.load import load_model
from models.scoring.fit_file import Fit
from tests.models.card_fits import (
    changed,
    coach,
    fitted,
    partly_fitted,
    unfitted,
    with_dimension,
)
from tests.models.fit_lessons import TIM, lessons

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class Reader(HTMLParser):
    """What a page shows, what it loads, and whether anything in it could run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self._style = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._style = tag == "style"
        for name, value in attrs:
            if name in ("href", "src", "srcset", "action", "data", "poster"):
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_endtag(self, tag: str) -> None:
        self._style = self._style and tag != "style"

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.text.append(data)

    @property
    def words(self) -> str:
        """All that can be read, in one line."""
        return " ".join(" ".join(self.text).split())


def read(fit: Fit, **more: Any) -> Reader:
    return Reader(card(fit, TIM, **more))


@pytest.fixture(scope="module")
def page() -> Reader:
    """The card of a fit in which everything is calibrated."""
    return read(fitted())


def test_the_headline_says_what_it_is_who_calibrated_it_and_that_it_is_simulated(page: Reader) -> None:
    fit = fitted()
    ratings = next(iter(fit.dimensions.values())).ratings
    assert headline(fit, parts_of(fit, TIM)) == (
        f"An inference from simulated lessons, calibrated by {ratings} walkthrough ratings in each "
        "dimension, of 4 coaches in 12 schools."
    )
    assert "No real lesson, coach or school stands behind any figure on this page." in page.words
    real = read(changed(fit, simulated=False))
    assert "No real lesson" not in real.words and "An inference, calibrated by" in real.words


def test_dimension_by_dimension_it_is_calibrated_or_prior_only() -> None:
    page = read(partly_fitted())
    assert "Active, Collaborative, Constructive and Goal-Directed are calibrated by" in page.words
    assert "Authentic rests on the rubric alone." in page.words
    assert "prior only: 20 of 50 ratings" in page.words
    assert "30 more ratings would calibrate it" in page.words
    assert "Not all of it is calibrated." in page.words


def test_with_hardly_any_rating_it_says_that_nothing_is_known_and_what_would_help() -> None:
    page = read(unfitted())
    assert "it rests on the rubric alone, which no walkthrough has checked yet" in page.words
    assert "Nothing can be said yet" in page.words
    assert "svg" in page.tags and "figure" not in page.tags


def test_counts_dates_prior_seed_and_hash_stand_on_the_page(page: Reader) -> None:
    fit = fitted()
    assert fit.content in page.words and fit.ratings_digest in page.words
    for told in ("4 March 2025", "the model’s rubric", "Windows behind the reference 90", "1, 7"):
        assert told in page.words
    left = {name: msgspec.structs.replace(one.left_out, briefed=13) for name, one in fit.dimensions.items()}
    briefed = with_dimension(fit, "active", left_out=left["active"])
    assert "Left out: the coach had seen the placement 0 to 13" in read(briefed).words


def test_every_limit_of_the_model_its_criticism_and_the_notes_of_the_fit_are_told() -> None:
    told = read(with_dimension(fitted(), "active", notes=("Only two schools rated.",))).words
    for text in (*TIM.unseen, *TIM.warnings, *(said.text for said in TIM.criticism)):
        assert text in told
    assert "Active. Only two schools rated." in told


def test_features_that_the_fit_never_saw_are_named() -> None:
    fit = fitted()
    bins = ((), *fit.reference.bins[1:])
    blind = changed(fit, reference=msgspec.structs.replace(fit.reference, bins=bins))
    assert "Never seen in the windows of this fit: reading or watching." in read(blind).words


@pytest.mark.parametrize("model", ["samr", "acot", "loti"])
def test_a_coarse_model_says_its_grain_and_that_it_is_a_band(model: str) -> None:
    known = load_model(model)
    fit = changed(
        unfitted(),
        model=known.id,
        dimensions={
            one.id: msgspec.structs.replace(
                unfitted().dimensions["active"], stages=tuple(stage.id for stage in one.stages)
            )
            for one in known.dimensions
        },
    )
    told = Reader(card(fit, known)).words
    assert known.dimensions[0].why_band in told
    assert {"lesson": "one lesson is a snapshot", "term": "It speaks of a term"}[known.grain] in told


def test_coaches_stand_in_the_order_of_their_codes_whatever_their_severity() -> None:
    codes = (coach("b", -1.0), coach("c", 1.0), coach("a", 0.0), coach("d", -2.0))
    html = card(with_dimension(fitted(), "active", coaches=codes), TIM)
    drawn = re.search(r'aria-labelledby="coaches-wide-title".*?</svg>', html, re.S)
    assert drawn
    assert re.findall(r">([abcd])</text>", drawn[0])[:4] == ["a", "b", "c", "d"]


def test_with_one_coach_severity_cannot_be_identified() -> None:
    page = read(fitted(coaches=1))
    assert "Severity cannot be identified for any dimension" in page.words
    assert "No window was rated by two coaches" in page.words
    assert "lower higher" not in page.words.split("The weights")[0].split("The coaches")[1]


def test_codes_are_shown_as_in_the_fit_unless_they_are_to_be_left_out() -> None:
    fit = fitted()
    codes = {one.id for part in fit.dimensions.values() for one in (*part.coaches, *part.schools)}
    whole, bare = card(fit, TIM), card(fit, TIM, people=False)
    assert len(codes) == 16
    assert all(code in whole for code in codes) and not any(code in bare for code in codes)
    assert "--without-people" in whole
    told = Reader(bare).words
    assert "Codes of coaches and schools were left out" in told and "How far coaches differ" in told
    assert "of 4 coaches in 12 schools" in told


def test_a_fit_that_has_lost_its_people_still_has_a_card() -> None:
    told = read(fitted().without_people()).words
    assert "Coaches not kept Schools not kept" in told
    assert "calibrated by" in told and "coaches in" not in told.split("What it learned from")[0]


def test_hostile_text_is_shown_as_text_and_nothing_of_it_runs() -> None:
    fit = with_dimension(
        fitted(),
        "active",
        coaches=(coach(HOSTILE), coach(f"b{HOSTILE}")),
        schools=(coach(f"s{HOSTILE}"),),
        notes=(HOSTILE,),
    )
    fit = changed(fit, ratings_digest=HOSTILE)
    page = read(fit)
    assert not page.tags & {"script", "img", "iframe", "object", "link:stylesheet"}
    assert page.handlers == []
    assert "<script>alert(1)</script>" in page.words  # as characters that one reads
    scale = dataclasses.replace(TIM.dimensions[0], name=HOSTILE)
    model = dataclasses.replace(TIM, name=HOSTILE, text=HOSTILE, dimensions=(scale, *TIM.dimensions[1:]))
    page = Reader(card(fit, model))
    assert not page.tags & {"script", "img"} and page.handlers == []


def test_the_page_asks_nobody_for_anything() -> None:
    fit = fitted()
    later = lessons(9, 60).features.x
    html = card(fit, TIM, drift(later, fit))
    page = Reader(html)
    assert page.addresses and all(one.startswith(("#", "data:")) for one in page.addresses)
    assert not page.tags & {"script", "iframe", "object", "embed", "form"}
    assert not re.search(r"@import|url\((?!#)", html)
    assert "default-src 'none'" in html


@pytest.mark.parametrize("word", ["score", "rank", "low performer", "screen time", "nan", "none of none"])
def test_words_that_praise_or_blame_stand_nowhere(word: str) -> None:
    fit = fitted()
    later = drift(lessons(9, 60).features.x, fit)
    for page in (read(fit, drift=later), read(partly_fitted()), read(unfitted()), read(fitted(1))):
        assert not re.search(rf"\b{word}", page.words, re.I)


def test_later_lessons_are_compared_when_they_are_given_and_else_it_says_how() -> None:
    fit = fitted()
    assert "--features F.csv" in read(fit).words
    same = lessons(5, 90).features.x
    told = read(fit, drift=drift(same, fit)).words
    assert "90 later lessons: none of 24 features moved beyond chance." in told
    assert "PSI = Σ (a − e) ln(a ÷ e)" in told and "a convention, and nothing more" in told
    moved = same.copy()
    moved[:, 0] += 3
    moved[:, 1] = np.nan
    told = read(fit, drift=drift(moved, fit)).words
    assert "1 of 23 features moved beyond chance; by much reading or watching." in told
    assert "The fit saw these, the later lessons never show them: practising." in told


def test_every_figure_has_a_sentence_limits_a_table_and_its_data() -> None:
    fit = fitted()
    html = card(fit, TIM, drift(lessons(9, 60).features.x, fit))
    figures = re.findall(r"<figure.*?</figure>", html, re.S)
    assert len(figures) == 6
    for one in figures:
        assert 'class="says"' in one and "<figcaption>" in one and "<table>" in one
        assert re.search(r'href="data:text/csv;charset=utf-8,[^"]{40,}" download="\w+\.csv"', one)
        assert one.count("<svg") >= 2 and "aria-labelledby" in one


def test_ids_are_given_once() -> None:
    fit = fitted()
    ids = re.findall(r'\bid="([^"]+)"', card(fit, TIM, drift(lessons(9, 60).features.x, fit)))
    assert sorted(ids) == sorted(set(ids))


def test_the_doubt_of_agreement_holds_the_figure_and_narrows_with_ratings() -> None:
    held = fitted().dimensions["active"].held_out
    assert held is not None
    own = kappa_doubt(held, seed=1)
    assert own is not None
    many = kappa_doubt(
        msgspec.structs.replace(held, confusion=tuple(tuple(n * 25 for n in row) for row in held.confusion)),
        seed=1,
    )
    assert many is not None
    assert own.low < own.value < own.high
    assert (many.high - many.low) == pytest.approx((own.high - own.low) / 5, rel=0.15)
    assert own == kappa_doubt(held, seed=1)


def test_an_agreement_that_is_undefined_is_called_not_known() -> None:
    held = fitted().dimensions["active"].held_out
    assert held is not None
    alike = tuple(tuple(n * (i == j == 2) for j, n in enumerate((9,) * 5)) for i in range(5))
    undefined = msgspec.structs.replace(held, kappa=None, confusion=alike)
    assert kappa_doubt(undefined, seed=1) is None
    assert "agrees (QWK) not known" in read(with_dimension(fitted(), "active", held_out=undefined)).words


def test_what_one_reaches_without_features_is_worked_out_by_hand() -> None:
    held = fitted().dimensions["active"].held_out
    assert held is not None
    table = ((4, 0, 0, 0, 0), (0, 3, 0, 0, 0), (0, 0, 2, 0, 0), (0, 0, 0, 1, 0), (0, 0, 0, 0, 0))
    found = baseline(msgspec.structs.replace(held, confusion=table))
    assert (found.accuracy, found.within_one) == pytest.approx((0.4, 0.9))
    assert found.rps == pytest.approx((0.4 * 0.6 + 0.7 * 0.3 + 0.9 * 0.1 + 0) / 4)
    assert share_of(0.9, 10).low == pytest.approx(0.6523, abs=0.0001)  # Wilson's, 90%


@pytest.mark.parametrize(
    ("weight", "low", "high", "verdict"),
    [(0.4, 0.1, 0.7, KEPT), (0.4, -0.1, 0.9, OPEN), (-0.4, -0.7, -0.1, TURNED), (0.4, None, None, OPEN)],
)
def test_a_sign_is_kept_turned_or_undecided(
    weight: float, low: float | None, high: float | None, verdict: str
) -> None:
    assert Moved(0, 0.5, 0.4, weight, low, high, 1.0).verdict == verdict


def test_weights_move_from_where_the_prior_put_them_on_the_scale_that_is_used() -> None:
    fit = fitted()
    own = fit.dimensions["active"]
    part = next(part for part in parts_of(fit, TIM) if part.model.id == "active")
    one = part.moved[0]
    assert FEATURES[one.feature] == "consume_share"
    assert one.weight == own.weights[0]
    assert one.expected == pytest.approx(own.rubric_weight * one.rubric * own.conditional)
    sd = own.conditional * own.covariance[0][0] ** 0.5
    assert one.low is not None and one.high is not None
    assert (one.high - one.low) / 2 == pytest.approx(1.6449 * sd, rel=1e-4)


def test_every_feature_has_words_and_numbers_have_their_sign() -> None:
    assert tuple(FEATURE_WORDS) == FEATURES
    assert (signed(0.271), signed(-0.5), signed(0.0), signed(None)) == ("+0.27", "−0.5", "0", "not known")
    assert (figure(0.5), figure(-0.001), figure(float("nan"))) == ("0.50", "0.00", "not known")
