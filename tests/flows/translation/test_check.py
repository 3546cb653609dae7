"""The catalogues are sound, and the check that says so finds each kind of fault."""

from __future__ import annotations

import shutil
from decimal import Decimal
from gettext import c2py
from pathlib import Path

import pytest
from babel import Locale
from babel.dates import format_date
from babel.messages.pofile import read_po as read_with_babel
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from flows.catalogue import LANGUAGES, LOCALE, Counted, messages
from flows.formats import written_date, written_quantity
from flows.translation.check import catalogue, problems
from flows.translation.cldr import formats_of, header_problems, plural_header, write_formats
from flows.translation.limits import BUTTON, LONG, ROW, SCREEN, use
from flows.translation.pofile import BadCatalogue, Catalogue


@pytest.fixture
def locale(tmp_path: Path) -> Path:
    return Path(shutil.copytree(LOCALE, tmp_path / "locale"))


def po(locale: Path, language: str) -> Path:
    return locale / language / "LC_MESSAGES" / "jicho.po"


def test_the_catalogues_are_sound() -> None:
    assert problems() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_written_down_is_what_cldr_says(language: str) -> None:
    assert header_problems(language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_who_read_a_catalogue_read_the_same(language: str) -> None:
    ours = {
        message_id: words.forms if isinstance(words, Counted) else (words,)
        for message_id, words in messages(language).items()
    }
    with po(LOCALE, language).open("rb") as file:
        gettexts = {
            each.id[0] if each.pluralizable else each.id: each.string if each.pluralizable else (each.string,)
            for each in read_with_babel(file, abort_invalid=True)
            if each.id
        }
    assert ours == gettexts == {each.id: each.forms for each in catalogue(language).listed}


@pytest.mark.parametrize("language", ["en", "sw"])
def test_plural_forms_follow_cldr(language: str) -> None:
    rule = c2py(plural_header(language).split("plural=")[1].rstrip(";"))
    cldr = Locale.parse(language).plural_form
    assert [rule(n) for n in range(1000)] == [["one", "other"].index(cldr(n)) for n in range(1000)]


def test_cldr_has_no_plural_rule_for_dholuo() -> None:
    # Should it get one, the catalogue's two forms have to be looked at again.
    assert Locale.parse("luo").plural_form.rules == {}


@given(day=st.dates(), language=st.sampled_from(["en", "sw"]))
def test_dates_are_babels(day: object, language: str) -> None:
    assert written_date(language, day) == format_date(day, "long", locale=f"{language}_KE")


@given(
    value=st.decimals(-(10**9), 10**9, places=2),
    language=st.sampled_from(LANGUAGES),
)
def test_quantities_are_babels(value: Decimal, language: str) -> None:
    assert written_quantity(language, value) == format_decimal(value, locale=f"{language}_KE")


def test_formats_that_are_not_cldrs_are_found_and_mended(locale: Path) -> None:
    path = locale / "sw" / "formats.json"
    path.write_text(path.read_text().replace("Novemba", "November"))
    (fault,) = header_problems("sw", locale)
    assert "formats.json" in fault
    assert write_formats("sw", locale) == path
    assert header_problems("sw", locale) == []
    assert "Dwe mar Ang'wen" in str(formats_of("luo")["months"])


@pytest.mark.parametrize(
    ("message_id", "where", "most"),
    [
        ("answer-yes", "a button", BUTTON),
        ("ask-sex-female", "a button", BUTTON),
        ("menu-result", "a row of a list", ROW),
        ("ask-again-voice", "only spoken, in a call", LONG),
        ("ask-consent", "two screens or two SMS: because", LONG),
        ("goodbye", "SMS, phone screen, chat and call", SCREEN),
        ("quality-dark", "part of other sentences", LONG),
    ],
)
def test_where_a_message_is_met(message_id: str, where: str, most: int) -> None:
    found = use(message_id, "because" if message_id == "ask-consent" else "")
    assert (found.where, found.most) == (where, most)


REMINDER = 'msgid "worker-retake-reminder"\nmsgid_plural "days"\n'


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('msgid "goodbye"\n', 'msgid "good-bye"\n', "sw goodbye: missing"),
        ('msgid "goodbye"\n', 'msgid "good-bye"\n', "sw good-bye: no such message"),
        ('msgid "goodbye"\n', 'msgid "about"\n', "sw about: twice"),
        ("#. en: Thank you. Goodbye.", "#. en: Thank you.", "sw goodbye: stale: the English has changed"),
        ("Asante. Kwaheri.", "", "sw goodbye: empty"),
        ("Asante. Kwaheri.", "Asante… Kwaheri.", "sw goodbye: not in GSM-7: it would halve what fits an SMS (…)"),
        ("Asante. Kwaheri.", "Asante.\\tKwaheri.", "sw goodbye: a control character, such as a tab"),
        (
            "Asante. Kwaheri.",
            "Asante. " * 21,
            "sw goodbye: too long: 168 of 160 characters with the longest parameters",
        ),
        ("Asante. Kwaheri.", "Asante, {name}.", "sw goodbye: other parameters than the English"),
        ("Asante. Kwaheri.", "Asante, {name.", "sw goodbye: a brace without its other half"),
        (
            '"Mwanamke"',
            '"Mwanamke au mwanaume "',
            "sw ask-sex-female: too long: 21 of 20 characters with the longest parameters",
        ),
        (
            '# review: draft\nmsgid "goodbye"',
            '# review: same\nmsgid "goodbye"',
            "sw goodbye: said to be the same, but differs",
        ),
        ('# review: draft\nmsgid "goodbye"', 'msgid "goodbye"', "sw goodbye: no review state"),
        (
            '# review: draft\nmsgid "goodbye"',
            '# review: reviewed\nmsgid "goodbye"',
            "sw goodbye: no review state",
        ),
        (REMINDER, REMINDER.replace("days", "code"), "sw worker-retake-reminder: counts code instead of days"),
        (
            f"{REMINDER}msgstr[0]",
            'msgid "worker-retake-reminder"\nmsgid_plural "days"\nmsgstr[2] "siku"\nmsgstr[0]',
            "sw worker-retake-reminder: 3 plural forms instead of 2",
        ),
        (
            "siku {days} mgonjwa",
            "siku mgonjwa",
            "sw worker-retake-reminder: other parameters than the English in form 1",
        ),
    ],
)
def test_each_fault_is_found(locale: Path, old: str, new: str, fault: str) -> None:
    path = po(locale, "sw")
    sound = path.read_text(encoding="utf-8")
    assert old in sound
    path.write_text(sound.replace(old, new), encoding="utf-8")
    assert fault in problems(locale)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ('msgid "x"\nmsgstr "she said "no""', "not a line of a PO file|a quote inside"),
        ('msgid "x"\nmsgstr y', "not a line of a PO file: msgstr y"),
        ('msgid "x"\nmsgstr "y"\nmsgid "z"\nmsgstr "w"', "an empty line is missing before"),
    ],
)
def test_a_catalogue_that_cannot_be_read_says_where(tmp_path: Path, broken: str, complaint: str) -> None:
    (tmp_path / "jicho.po").write_text(broken, encoding="utf-8")
    with pytest.raises(BadCatalogue, match=complaint):
        Catalogue(tmp_path / "jicho.po")


@pytest.mark.parametrize("language", LANGUAGES)
def test_writing_a_catalogue_keeps_every_byte(locale: Path, language: str) -> None:
    path = po(locale, language)
    before = path.read_bytes()
    Catalogue(path).write()
    assert path.read_bytes() == before
