"""Bundles that may be sent any number of times with one effect: every entry says what it is to be known by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from services.fhir.records import EyeName, Record, Screening, Withdrawn
from services.fhir.resources import Names, resources

Bundle = dict[str, Any]
_FIXED = ("Device",)  # known by the hash of its file: there is nothing to update
_EYES: tuple[EyeName, ...] = ("left", "right")


def transaction(records: Iterable[Record], names: Names) -> Bundle:
    """Everything that is to be kept of some screenings, all of it or nothing. Withdrawn ones are left out."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries(records, names))}


def entries(records: Iterable[Record], names: Names) -> Iterator[dict[str, Any]]:
    """What a transaction holds; patients, models and places once, as the last of their screenings has them."""
    found: dict[str, dict[str, Any]] = {}
    for record in records:
        if isinstance(record, Screening):
            for kind, value, resource in resources(record, names):
                found[names.urn(kind, value)] = {
                    "fullUrl": names.urn(kind, value),
                    "resource": resource,
                    "request": _request(resource["resourceType"], names.identifier(kind, value)),
                }
    yield from found.values()


def deletions(records: Iterable[Record], names: Names) -> Bundle | None:
    """Takes back what was said of withdrawn screenings; None if there are none among these.

    A batch, since there are servers that know no conditional delete inside a transaction (Azure's, as its maker says).
    What is not there counts as deleted.
    """
    requests = [
        {"request": {"method": "DELETE", "url": _search(kind, names.identifier(what, value))}}
        for record in records
        if isinstance(record, Withdrawn)
        # Who points at others goes before them.
        for kind, what, value in (
            ("Consent", "consent", record.key),
            ("ServiceRequest", "referral", record.key),
            ("DiagnosticReport", "report", record.key),
            *(("Observation", what, f"{record.key}-{eye}") for what in ("grade", "finding") for eye in _EYES),
            # Only a patient without a phone is known by her screening; others may have been screened elsewhere, too.
            ("Patient", "patient", record.key),
        )
    ]
    return {"resourceType": "Bundle", "type": "batch", "entry": requests} if requests else None


def _request(kind: str, identifier: dict[str, str]) -> dict[str, str]:
    search = _search(kind, identifier)
    if kind in _FIXED:
        return {"method": "POST", "url": kind, "ifNoneExist": search.partition("?")[2]}
    return {"method": "PUT", "url": search}


def _search(kind: str, identifier: dict[str, str]) -> str:
    return f"{kind}?identifier={quote(identifier['system'] + '|' + identifier['value'], safe=':/-.')}"
