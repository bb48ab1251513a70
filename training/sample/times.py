"""Random times: yesterday, on the 3rd of May 1998, at 7:30 on Monday, three days ago."""

from longspan.training.sample.dice import Dice, Weighted
from longspan.training.sample.english import Time
from longspan.training.sample.numerals import (
    MONTHS,
    WEEKDAYS,
    english_number,
    english_ordinal,
    kanji_number,
)
from longspan.training.sample.phrases import Word

__all__ = ["TimeBuilder"]

_BARE_TIMES = {
    Time.PAST: Weighted.skewed(
        [
            Word("yesterday", "昨日"),
            Word("last week", "先週"),
            Word("this morning", "今朝"),
            Word("last year", "昨年"),
            Word("last month", "先月"),
            Word("last night", "昨夜"),
        ]
    ),
    Time.FUTURE: Weighted.skewed(
        [
            Word("tomorrow", "明日"),
            Word("next week", "来週"),
            Word("next month", "来月"),
            Word("tonight", "今夜"),
            Word("next year", "来年"),
        ]
    ),
    Time.PRESENT: Weighted.skewed(
        [
            Word("every day", "毎日"),
            Word("every morning", "毎朝"),
            Word("every week", "毎週"),
            Word("every year", "毎年"),
            Word("every night", "毎晩"),
        ]
    ),
}
_AGO = (("day", "日"), ("week", "週間"), ("month", "か月"), ("year", "年"))


class TimeBuilder:
    """Makes times of at most a number of words; None where nothing is so short."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice

    def bare(self, time: Time) -> Word:
        """昨日 and the like: a comma follows in Japanese, never に."""
        return self.dice.draw(_BARE_TIMES[time])

    def dated(self, time: Time, budget: int) -> Word | None:
        """A time that takes に; the present has none."""
        if time is Time.PRESENT or budget < 2:
            return None
        return self._clock_and_date(time, budget)

    def span(self, unit: str, counter: str, tail: str, largest: int) -> Word:
        """A number of hours, days, weeks, months or years."""
        value = self.dice.integer(1, largest)
        plural = "" if value == 1 else "s"
        english = f"{english_number(value)} {unit}{plural}{tail}"
        return Word(english, kanji_number(value) + counter)

    def _clock_and_date(self, time: Time, budget: int) -> Word:
        if budget >= 3 and time is Time.PAST and self.dice.chance(0.25):
            span = self.span(*self.dice.pick(_AGO), " ago", 20)
            return Word(span.english_text, span.japanese_text + "前")
        if budget < 5 or self.dice.chance(0.3):
            return self._short_date(time, budget)
        english, japanese = self._date(time, budget)
        if budget >= len(english.split()) + 2 and self.dice.chance(0.35):
            clock = self._clock()
            return Word(f"{clock.english_text} {english}", f"{japanese}の{clock.japanese_text}")
        return Word(english, japanese)

    def _short_date(self, time: Time, budget: int) -> Word:
        """Two or three words."""
        roll = self.dice.integer(1, 4)
        year = self._year(time)
        if roll == 1:
            day, japanese = self.dice.pick(WEEKDAYS)
            return Word(f"on {day}", japanese)
        if roll == 2:
            return self._clock()
        if roll == 3 and budget >= 3:
            month = self.dice.integer(1, 12)
            return Word(f"in {MONTHS[month - 1]} {year}", f"{year}年{month}月")
        return Word(f"in {year}", f"{year}年")

    def _date(self, time: Time, budget: int) -> tuple[str, str]:
        month, day = self.dice.integer(1, 12), self.dice.integer(1, 28)
        english = f"on the {english_ordinal(day)} of {MONTHS[month - 1]}"
        japanese = f"{month}月{day}日"
        if budget < 6 or self.dice.chance(0.4):
            return english, japanese
        year = self._year(time)
        return f"{english} {year}", f"{year}年{japanese}"

    def _clock(self) -> Word:
        hour, minute = self.dice.integer(5, 23), self.dice.integer(0, 11) * 5
        japanese = f"{hour}時" + (f"{minute}分" if minute else "")
        return Word(f"at {hour}:{minute:02}", japanese)

    def _year(self, time: Time) -> int:
        if time is Time.FUTURE:
            return self.dice.integer(2030, 2080)
        return self.dice.integer(1900, 2024)
