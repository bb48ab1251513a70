"""Numbers, dates and times of day in English words and figures, and in Japanese."""

__all__ = ["MONTHS", "WEEKDAYS", "english_number", "english_ordinal", "kanji_number"]

_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_SMALL = tuple(_WORDS.split())
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_KANJI = " 一二三四五六七八九"
_LARGEST = 9999

_YEAR = "January February March April May June July August September October November December"
MONTHS = tuple(_YEAR.split())
WEEKDAYS: tuple[tuple[str, str], ...] = (
    ("Monday", "月曜日"),
    ("Tuesday", "火曜日"),
    ("Wednesday", "水曜日"),
    ("Thursday", "木曜日"),
    ("Friday", "金曜日"),
    ("Saturday", "土曜日"),
    ("Sunday", "日曜日"),
)


def english_number(number: int) -> str:
    """1 to 9999 in words: "three hundred and twelve"."""
    _check(number)
    thousands, rest = divmod(number, 1000)
    hundreds, below = divmod(rest, 100)
    parts = []
    if thousands:
        parts.append(f"{_SMALL[thousands]} thousand")
    if hundreds:
        parts.append(f"{_SMALL[hundreds]} hundred")
    if below:
        parts.append(("and " if parts else "") + _below_hundred(below))
    return " ".join(parts)


def _below_hundred(number: int) -> str:
    if number < len(_SMALL):
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{_SMALL[ones]}" if ones else "")


def kanji_number(number: int) -> str:
    """1 to 9999 in kanji: 三百十二. A leading 一 is left out before 十, 百 and 千."""
    _check(number)
    text = ""
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十")):
        digit, number = divmod(number, unit)
        if digit:
            text += (_KANJI[digit] if digit > 1 else "") + sign
    return text + (_KANJI[number] if number else "")


def english_ordinal(number: int) -> str:
    """A day of the month in figures: 1st, 2nd, 3rd, 11th, 22nd."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _check(number: int) -> None:
    if not 1 <= number <= _LARGEST:
        raise ValueError(f"numbers are spelled out from 1 to {_LARGEST}, not {number}")
