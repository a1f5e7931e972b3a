"""Usage exports of other products, read through a mapping: rows of use by product and day."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from hub.usage.rows import BLANK, FIRST, MOST, NOT_USED, Fault, NotUsed, Use, number
from models.catalogue.load import Catalogue
from models.catalogue.match import NameMatcher
from models.catalogue.names import by_name, called
from shared import mapping
from shared.errors import BadInput, SettingsError
from shared.exports import Rows, host_of, lines
from shared.mapping import Cells, Column, Moment, Selection

MAPPINGS: Final = Path(__file__).parent / "mappings"
_MOST_NAME: Final = 200  # characters of a product's name


class Product(msgspec.Struct, frozen=True):
    """Columns that say which product; the first that the catalogue knows counts: id, name, url.

    id: a LearnPlatform id or one of the catalogue's; url: an address whose host is listed.
    """

    id: Column | None = None
    name: Column | None = None
    url: Column | None = None


class Amount(msgspec.Struct, frozen=True):
    """How much; the first of events, minutes, users, percent that is given is what is counted.

    unit: that in words. percent: of learners, 0 to 100. A blank amount is no use where users or percent is 0.
    most_a_user: what one learner can reach in a row at most.
    """

    unit: Annotated[str, Meta(min_length=1, max_length=80)]
    events: Column | None = None
    minutes: Column | None = None
    users: Column | None = None
    percent: Column | None = None
    most_a_user: Annotated[float, Meta(gt=0)] | None = None

    @property
    def counted(self) -> Column | None:
        """The column that is summed."""
        return self.events or self.minutes or self.users or self.percent


class UsageMapping(Selection, frozen=True, kw_only=True):
    """A whole mapping file. repeated: of rows for one day and product the `first` counts, or their `sum`."""

    date: Moment
    product: Product
    amount: Amount
    repeated: Literal["first", "sum"] = "first"


def load_mapping(name_or_path: str, folder: Path = Path()) -> UsageMapping:
    """A shipped mapping by its name, or a file (from `folder` on); raises SettingsError with one line."""
    loaded = mapping.load(name_or_path, UsageMapping, MAPPINGS, folder)
    name = f"mapping {name_or_path}"
    if loaded.product == Product():
        raise SettingsError(f"{name}: [product] needs `id`, `name` or `url`, the column of the product")
    if loaded.amount.counted is None:
        raise SettingsError(f"{name}: [amount] needs one of `events`, `minutes`, `users` and `percent`")
    mapping.check_moment(loaded.date, name)
    mapping.check_layout(loaded, columns(loaded), name)
    return loaded


def columns(own: UsageMapping) -> list[str]:
    """Every column that the mapping reads, each once."""
    product, amount = own.product, own.amount
    return own.columns_with(
        *(own.date.column, product.id, product.name, product.url),
        *(amount.events, amount.minutes, amount.users, amount.percent),
    )


class Products:
    """Catalogue indices of products by id, name or host; one that nobody lists is none."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._ids = catalogue.by_lp_id
        self._names = by_name(catalogue)
        self._matcher = NameMatcher(catalogue)

    def index(self, product: str) -> int:
        """The index of a product as `find` names it; 0 if nobody lists it."""
        return self._ids.get(product) or self._names.get(product) or max(self._matcher.match(product), 0)

    def find(self, *said: str) -> str:
        """The first of several names of a product that is listed, else the first that is no blank."""
        names = [called(name) for name in said if name.lower() not in BLANK]
        return next((name for name in names if self.index(name)), names[0] if names else "")


class UsageReader:
    """Reads the rows of one export after another, each with its own header line."""

    def __init__(self, own: UsageMapping, products: Products, last: date) -> None:
        self._own = own
        self._names = columns(own)
        cells = Cells(own, self._names)
        self._cell, self._left_out = cells.cell, cells.left_out
        self._clock = mapping.clock(own.date)
        self._products = products
        self._last = last

    def rows(self, path: Path) -> Iterator[Use | NotUsed | Fault]:
        """What every line says; the header and blank lines are no rows. Raises OSError."""
        rows = Rows(self._own, self._names)
        with path.open("rb") as file:
            for line in lines(file.readline):
                if not line.strip():
                    continue
                try:
                    row = rows.row(line)
                except BadInput as fault:
                    yield Fault(fault.reason)
                    continue
                if row is not None:
                    yield self._row(row)

    def _row(self, row: list[str]) -> Use | NotUsed | Fault:
        if self._left_out(row):
            return Fault.NOT_KEPT
        moment = self._clock(self._cell(row, self._own.date.column))
        if moment is None or not FIRST <= moment.date() <= self._last:
            return Fault.BAD_DATE
        own = self._own.product
        host = host_of(self._cell(row, own.url)) or ""
        number_or_id = self._cell(row, own.id).removesuffix(".0")
        product = self._products.find(number_or_id, self._cell(row, own.name), host)
        if not product or len(product) > _MOST_NAME:
            return Fault.BLANK_PRODUCT
        amount = self._amount(row)
        if not isinstance(amount, float):
            return amount
        return Use(moment.date(), product, amount, self._products.index(product) > 0)

    def _amount(self, row: list[str]) -> float | NotUsed | Fault:
        own = self._own.amount
        numbers: list[float | None] = []
        for column in (own.counted, own.users, own.percent):
            found = _number(self._cell(row, column))
            if isinstance(found, Fault):
                return found
            numbers.append(found)
        counted, users, percent = numbers
        if percent is not None and percent > 100:
            return Fault.BAD_NUMBER
        if counted is None:
            return NOT_USED if 0 in (users, percent) else Fault.BLANK_ENGAGEMENT
        if counted > MOST:
            return Fault.NUMBER_TOO_LARGE
        if own.most_a_user is not None and users is not None and counted > users * own.most_a_user:
            return Fault.MORE_THAN_USERS_CAN
        return counted or NOT_USED


def _number(text: str) -> float | Fault | None:
    """A number as reports write it: `1,234.5` and `12%` too."""
    return number(text.removesuffix("%").replace(",", "") if "," in text or "%" in text else text)
