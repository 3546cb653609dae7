"""Six typical sites and what is recommended to each, word for word. `pytest tests/services/site/plan --regenerate`
writes them anew; the diff is then for a person to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.site.plan.answers import parse
from services.site.plan.recommend import recommend
from services.site.plan.render import as_lines

GOLDEN = Path(__file__).with_name("golden")
SITES = {
    "dispensary": {
        "internet": "intermittent",
        "phones": "feature",
        "machine": "mini-pc",
        "memory_gb": "4",
        "storage_gb": "32",
        "battery_hours": "3",
        "outage_hours": "6",
        "screenings": "120",
        "usd_per_gb": "3",
    },
    "county-hospital": {
        "internet": "reliable",
        "phones": "mixed",
        "machine": "server",
        "memory_gb": "16",
        "storage_gb": "500",
        "battery_hours": "1",
        "outage_hours": "0.5",
        "screenings": "1500",
        "usd_per_gb": "0.5",
    },
    "refugee-camp": {
        "internet": "none",
        "mobile_network": "yes",
        "phones": "mixed",
        "machine": "raspberry-pi-5",
        "memory_gb": "8",
        "storage_gb": "64",
        "battery_hours": "5",
        "outage_hours": "10",
        "screenings": "600",
    },
    "mobile-clinic": {
        "internet": "intermittent",
        "phones": "smartphone",
        "machine": "laptop",
        "memory_gb": "4",
        "storage_gb": "60",
        "battery_hours": "6",
        "outage_hours": "9",
        "screenings": "300",
        "usd_per_gb": "2",
    },
    "private-clinic": {
        "internet": "reliable",
        "phones": "smartphone",
        "machine": "server",
        "accelerator": "gpu",
        "memory_gb": "32",
        "storage_gb": "1000",
        "battery_hours": "0",
        "outage_hours": "1",
        "screenings": "400",
        "usd_per_gb": "1",
    },
    "hub": {
        "role": "hub",
        "internet": "reliable",
        "machine": "server",
        "memory_gb": "8",
        "storage_gb": "200",
        "battery_hours": "2",
        "outage_hours": "4",
        "screenings": "20000",
        "usd_per_gb": "0.5",
    },
}


@pytest.mark.parametrize("name", SITES)
def test_a_typical_site(name: str, pytestconfig: pytest.Config) -> None:
    said = "\n".join(as_lines(recommend(parse(SITES[name])))) + "\n"
    golden = GOLDEN / f"{name}.txt"
    if pytestconfig.getoption("--regenerate"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(said, encoding="utf-8")
    assert said == golden.read_text(encoding="utf-8")


def test_the_sites_are_of_different_kinds() -> None:
    stacks = [recommend(parse(answers)).stack.name for answers in SITES.values()]
    assert stacks == ["edge", "online", "island", "edge", "online", "hub"]
