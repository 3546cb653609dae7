"""Names, versions and paths of what is signed: anything else is refused before a byte is fetched."""

from __future__ import annotations

import pytest
from tuf.api.metadata import TargetFile, Targets

from services.updates.releases import BadRelease, File, Way, check_name, check_path, order, read_offer


def test_versions_are_numbers() -> None:
    assert order("0.10.0") > order("0.9.1") > order("0.9")
    for bad in ("1", "", "1.a", "01.2", "1.2.3.4.5", "v1.0", "1.0-rc1", "1.0\n"):
        with pytest.raises(BadRelease):
            order(bad)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../b", ".hidden", "a//b", "a/b/c/d", "", "a\\b", "a b"])
def test_a_file_stays_in_its_folder(path: str) -> None:
    with pytest.raises(BadRelease):
        check_path(path)
    assert check_path("golden/clean-1.jpg") == "golden/clean-1.jpg"


@pytest.mark.parametrize("name", ["", "..", ".x", "a/b", "x" * 42])
def test_a_name_is_one(name: str) -> None:
    with pytest.raises(BadRelease):
        check_name(name)


def test_the_shortest_way_that_one_has_the_base_for() -> None:
    whole, small, smaller = Way("w", 100, True), Way("p", 10, True, "b1"), Way("q", 5, True, "b2")
    file = File("full.onnx", "0" * 64, 300, (whole, small, smaller))
    assert file.way([]) == whole
    assert file.way(["b1"]) == small
    assert file.way(["b1", "b2"]) == smaller
    with pytest.raises(BadRelease, match="no whole file"):
        File("full.onnx", "0" * 64, 300, (small,)).way([])


def signed(**fields: object) -> Targets:
    target = TargetFile.from_data("models/dr/0.3.0/manifest.json", b"{}", ["sha256"])
    return Targets(
        targets={target.path: target},
        unrecognized_fields={"releases": {"models/dr": {"version": "0.3.0", "format": 1}}} | fields,
    )


def test_a_list_is_read() -> None:
    offer = read_offer(signed(withdrawn={"models/dr": ["0.2.9"]}))
    release = offer.releases["models/dr"]
    assert (release.name, release.version, dict(release.about)) == ("dr", "0.3.0", {"format": 1})
    assert [file.path for file in release.files] == ["manifest.json"]
    assert offer.withdrawn == {"models/dr": {"0.2.9"}}
    assert read_offer(Targets()).releases == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"releases": {"models/dr": {"version": "latest"}}},
        {"releases": {"models/dr": {"version": "0.4.0"}}},
        {"releases": {"models/../dr": {"version": "0.3.0"}}},
        {"releases": {"firmware/dr": {"version": "0.3.0"}}},
        {"releases": {"models/dr": {}}},
        {"releases": {"models/dr": 7}},
        {"releases": 7},
        {"withdrawn": {"models/dr": 7}},
    ],
)
def test_a_list_of_another_kind_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(BadRelease):
        read_offer(signed(**fields))
