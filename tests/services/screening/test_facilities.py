"""Where people are sent: the nearest of those listed; and a table with a mistake changes nothing."""

from __future__ import annotations

import pytest

from services import settings
from services.runtime import Runtime
from services.screening.facilities import Facility, kilometres, listed, nearest, put, put_all, remove
from services.screening.facility_table import BadFacility, BadTable, from_words, read_table, write_table

KISUMU, KAKAMEGA, NAIROBI = (-0.0917, 34.7680), (0.2827, 34.7519), (-1.2864, 36.8172)


def at(town: str, point: tuple[float, float] | None = None, **more: object) -> Facility:
    latitude, longitude = point or (None, None)
    return Facility("Eye Unit", town, latitude=latitude, longitude=longitude, **more)  # type: ignore[arg-type]


def test_the_way_over_the_great_circle() -> None:
    assert kilometres(KISUMU, KISUMU) == 0
    assert kilometres((0, 0), (0, 90)) == pytest.approx(10_007.5, abs=1)  # a quarter of the equator
    assert kilometres(KISUMU, NAIROBI) == pytest.approx(kilometres(NAIROBI, KISUMU))


OURS = {"ours": True, "services": ("screening",)}


@pytest.mark.parametrize(
    ("clinic", "places", "town"),
    [
        (None, [], None),
        (None, [at("Nairobi", NAIROBI), at("Kisumu", KISUMU)], "Nairobi"),
        (KAKAMEGA, [at("Nairobi", NAIROBI), at("Kisumu", KISUMU)], "Kisumu"),
        (KAKAMEGA, [at("Nairobi"), at("Kisumu", KISUMU)], "Kisumu"),
        (KAKAMEGA, [at("Nairobi"), at("Kisumu")], "Nairobi"),
        (KAKAMEGA, [at("Kisumu", KISUMU, services=("diabetes",)), at("Nairobi", NAIROBI)], "Nairobi"),
        (None, [at("Nairobi", NAIROBI), at("Kisumu", KISUMU), at("Kakamega", KAKAMEGA, **OURS)], "Kisumu"),
        (None, [at("Kisumu", KISUMU), at("Kakamega", ours=True)], "Kakamega"),
        (None, [at("Kakamega", KAKAMEGA, **OURS)], None),
    ],
)
def test_the_nearest_with_an_eye_clinic(
    site: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    clinic: tuple[float, float] | None,
    places: list[Facility],
    town: str | None,
) -> None:
    if clinic:
        monkeypatch.setenv("JICHO_CLINIC_LATITUDE", str(clinic[0]))
        monkeypatch.setenv("JICHO_CLINIC_LONGITUDE", str(clinic[1]))
        settings.current.cache_clear()
    with site.db.write() as tx:
        for each in places:
            put(tx, each)
        found = nearest(tx)
    assert (found.town if found else None) == town


def test_the_list_is_edited_and_keeps_its_order(site: Runtime) -> None:
    with site.db.write() as tx:
        assert put(tx, at("Siaya"))
        assert put(tx, at("Busia", **OURS))
        assert not put(tx, at("Siaya", KISUMU, ours=True)), "an update"
        assert [(each.town, each.ours) for each in listed(tx)] == [("Siaya", True), ("Busia", False)]
        siaya = listed(tx)[0].id
        assert siaya is not None
        assert remove(tx, siaya)
        assert not remove(tx, siaya)
        assert [each.town for each in listed(tx)] == ["Busia"]
        assert put_all(tx, [at("Homa Bay"), at("SIAYA")]) == 1, "what was removed comes back"
        assert [each.town for each in listed(tx)] == ["Homa Bay", "SIAYA", "Busia"]


@pytest.mark.parametrize(
    ("days", "opening"),
    [
        ("", ()),
        ("mon-fri", ("open-weekdays",)),
        ("Monday - Saturday", ("open-mon-sat",)),
        ("sun, mon-sat", ("open-every-day",)),
        ("Thu; TUE", ("open-tue", "open-thu")),
    ],
)
def test_opening_days(days: str, opening: tuple[str, ...]) -> None:
    assert from_words({"name": "Eye Unit", "town": "Siaya", "days": days}).opening == opening


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"name": ""}, "it has no name"),
        ({"town": " "}, "it has no town"),
        ({"name": "眼科"}, "letters that no SMS carries"),
        ({"name": "N" * 40}, "longer than 40 characters"),
        ({"days": "mon-fro"}, "'mon-fro' is no day"),
        ({"days": "fri-mon"}, "runs backwards"),
        ({"latitude": "north", "longitude": "34"}, "latitude 'north' is no number of degrees"),
        ({"latitude": "nan", "longitude": "34"}, "latitude 'nan'"),
        ({"latitude": "0", "longitude": "181"}, "longitude '181'"),
        ({"latitude": "0"}, "only one of latitude and longitude"),
        ({"ours": "perhaps"}, "neither yes nor no"),
    ],
)
def test_what_is_wrong_with_a_facility(words: dict[str, str], complaint: str) -> None:
    with pytest.raises(BadFacility, match=complaint):
        from_words({"name": "Eye Unit", "town": "Siaya"} | words)


def test_a_table_comes_back_as_it_was_written() -> None:
    table = [
        at("Ng'iya", KISUMU, phone="0711 000 009", services=("eye clinic", "laser"), days=("mon", "thu")),
        Facility("St. Mary's, East Wing", "Siaya", ours=True),
    ]
    assert read_table(write_table(table)) == table
    spreadsheet = "\ufeffName;Town;Days;Latitude;Longitude\r\nEye Unit;Siaya;mon-fri;-0,0917;34,768\r\n"
    assert read_table(spreadsheet) == [at("Siaya", KISUMU, days=("mon", "tue", "wed", "thu", "fri"))]


def test_every_mistake_of_a_table_is_named_with_its_row() -> None:
    with pytest.raises(BadTable) as found:
        read_table("name,town,days,ours\nA,X,,yes\nB,,,\nA,x,,\nC,Y,Z,\nD,Y,,yes\nE,Y,,,more\n")
    rows = [line.split(":")[0] for line in str(found.value).splitlines()]
    assert rows == ["row 3", "row 4", "row 5", "row 6", "row 7"]
    for text, complaint in (
        ("", "no column 'name'"),
        ("name,town\n", "no facility in this file"),
        ("name,town,colour\nA,X,red\n", "unknown column 'colour'"),
    ):
        with pytest.raises(BadTable, match=complaint):
            read_table(text)
