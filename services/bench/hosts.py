"""A site on several hosts, each of which loses its power now and then: is anything lost or done twice, and how soon
does a new photograph have its answer?"""

from __future__ import annotations

import itertools
import time
from typing import Any

from services.bench.chaos import add_workers, recovered, told_within_s
from services.bench.chaos_clinic import Clinic, Worker
from services.bench.judgement import judge, wait_until_done
from services.bench.machines import Network, NoMachines
from services.bench.outage_site import draw_eyes
from services.bench.several_hosts import SeveralHosts

SCREENINGS_A_ROUND = 6
_HANDS, _WORKERS_EACH = 4, 20
_STORE_AWAY_S, _OTHERS_AWAY_S = 3.0, 8.0
MACHINES = ("a", "queue-1", "b", "store", "c", "queue-2")


def hosts(rounds: int = 30) -> dict[str, Any]:
    """`rounds`, `screenings`, `lost`, `doubled_results`, `doubled_messages`, `unknown_outcomes`, as `bench chaos`
    counts them, and `recovery_median_s`, `recovery_p99_s`: from the moment a machine loses its power until a photograph
    of a screening that was opened since has its SMS; by machine. All others stay on meanwhile; the store, of which
    there is one, comes back after 3 s, the others once that SMS is there. Raises CannotMeasure."""
    from services.bench import CannotMeasure

    try:
        with Network() as network, SeveralHosts(network) as site, site.keys():
            return _run(site, rounds)
    except NoMachines as problem:
        raise CannotMeasure(str(problem)) from None


def _run(site: SeveralHosts, rounds: int) -> dict[str, Any]:
    draw_eyes(site.home / "eyes")
    healthy, referable = (
        [path.read_bytes() for path in sorted((site.home / "eyes").glob(f"{kind}-*"))] for kind in ("rescreen", "refer")
    )
    numbers = [f"+254711{number:06}" for number in range(_HANDS * _WORKERS_EACH + rounds)]
    add_workers(site.store_url, numbers)
    clinic = Clinic(site, numbers[rounds:], _HANDS, (healthy, referable))
    began, recoveries = time.monotonic(), []
    for number, name in zip(range(rounds), itertools.cycle(MACHINES), strict=False):
        clinic.ask(SCREENINGS_A_ROUND - 1)
        canary = Worker(site, [numbers[number]], 1000 + number, healthy, referable)
        recoveries.append((name, _without(site, name, clinic, canary)))
    clinic.end()
    waiting = wait_until_done(site.store_url)
    found = judge(site.store_url, site.ledger(), clinic.promises.kept)
    return {
        "rounds": rounds,
        "screenings": clinic.promises.screenings,
        **found,
        "still_waiting": waiting,
        "gave_up": len(clinic.failed),
        **recovered([seconds for _, seconds in recoveries]),
        "by_machine": {
            name: {"rounds": len(times), **recovered(times)}
            for name in MACHINES
            if (times := [seconds for each, seconds in recoveries if each == name])
        },
        "took_s": round(time.monotonic() - began),
    }


def _without(site: SeveralHosts, name: str, clinic: Clinic, canary: Worker) -> float:
    """Seconds until a new screening was answered although a machine is gone, or gone for a moment if there is no other
    like it. Then it is back."""
    struck = time.monotonic()
    site.machines[name].power_cut()
    if name == "store":
        time.sleep(_STORE_AWAY_S)
        site.power_on(name)
    found = told_within_s(site, clinic, canary, struck)
    if name != "store":
        time.sleep(max(0.0, struck + _OTHERS_AWAY_S - time.monotonic()))
        site.power_on(name)
    site.wait_for(lambda: site.is_back(name), f"{name} to be back", seconds=120)
    return found
