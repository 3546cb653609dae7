"""A small FHIR server: it validates with `fhir.resources` what comes, keeps it, and answers as R4 says.

R4B's models are those of R4 for every resource used here; the package has none of 4.0.1 itself.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fhir.resources.R4B import get_fhir_model_class
from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.serving import make_server


class Refused(Exception):
    """What an OperationOutcome says."""

    def __init__(self, status: int, diagnostics: str, expression: str = "Bundle") -> None:
        super().__init__(diagnostics)
        self.status, self.diagnostics, self.expression = status, diagnostics, expression


@dataclass
class Kept:
    """A resource with what it was known by, and how often it changed."""

    id: str
    resource: dict[str, Any]
    version: int = 1


@dataclass
class FhirServer:
    """`kept` by type; `bundles` as they came; `failures` are answered before anything else, one a request; after
    `drop_after` more transactions the answer is lost, though everything was kept."""

    kept: dict[str, list[Kept]] = field(default_factory=dict)
    bundles: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Response] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    drop_after: int | None = None
    requests: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._server = make_server("127.0.0.1", 0, self._application(), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/fhir"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def all(self, kind: str) -> list[dict[str, Any]]:
        """What is kept of a type."""
        return [kept.resource for kept in self.kept.get(kind, [])]

    def versions(self) -> dict[str, int]:
        """How often each resource changed, by type and id."""
        return {f"{kind}/{kept.id}": kept.version for kind, all_kept in self.kept.items() for kept in all_kept}

    def _application(self) -> Flask:
        application = Flask("fhir")

        @application.post("/fhir")
        def bundle() -> Any:
            self.requests += 1
            self.headers.append(dict(request.headers))
            if self.failures:
                return self.failures.pop(0)
            try:
                with self._lock:
                    answer = self._take(request.get_json())
            except Refused as problem:
                issue = {
                    "severity": "error",
                    "code": "invalid",
                    "diagnostics": problem.diagnostics,
                    "expression": [problem.expression],
                }
                return {"resourceType": "OperationOutcome", "issue": [issue]}, problem.status
            if self.drop_after is not None:
                self.drop_after -= 1
                if self.drop_after < 0:
                    self.drop_after = None
                    return Response("the proxy lost its backend", 502)
            return answer

        return application

    def _take(self, bundle: dict[str, Any]) -> dict[str, Any]:
        _valid(bundle, "Bundle")
        self.bundles.append(bundle)
        kind = bundle["type"]
        if kind == "batch":
            statuses = [self._delete(entry["request"]["url"]) for entry in bundle["entry"]]
        else:
            statuses = self._transaction(bundle["entry"])
        answer = {
            "resourceType": "Bundle",
            "type": f"{kind}-response",
            "entry": [{"response": {"status": status}} for status in statuses],
        }
        _valid(answer, "Bundle")
        return answer

    def _transaction(self, entries: list[dict[str, Any]]) -> list[str]:
        urls = [entry["fullUrl"] for entry in entries]
        if len(set(urls)) != len(urls):
            raise Refused(400, "two entries have one fullUrl")
        targets = [self._target(entry) for entry in entries]
        if len({(kind, search) for kind, search, _ in targets}) != len(targets):
            raise Refused(400, "two entries are one resource")
        ids = {
            url: f"{kind}/{found.id if found else next(self._ids)}"
            for url, (kind, _, found) in zip(urls, targets, strict=True)
        }
        statuses = []
        for number, (entry, (kind, _, found)) in enumerate(zip(entries, targets, strict=True)):
            resource = _resolved(entry["resource"], ids, f"Bundle.entry[{number}].resource")
            _valid(resource, kind, f"Bundle.entry[{number}].resource")
            if found is None:
                identity = ids[entry["fullUrl"]].split("/")[1]
                self.kept.setdefault(kind, []).append(Kept(identity, resource))
                statuses.append("201 Created")
                continue
            if entry["request"]["method"] == "PUT" and found.resource != resource:
                found.resource, found.version = resource, found.version + 1
            statuses.append("200 OK")
        return statuses

    def _target(self, entry: dict[str, Any]) -> tuple[str, str, Kept | None]:
        """The type, what it is searched by, and what is there already."""
        asked = entry["request"]
        if asked["method"] == "PUT":
            search = asked["url"]
        elif asked["method"] == "POST":
            search = f"{asked['url']}?{asked['ifNoneExist']}"
        else:
            raise Refused(400, f"{asked['method']} in a transaction")
        kind, identifier = _searched(search)
        if kind != entry["resource"]["resourceType"]:
            raise Refused(400, "another type than its address says")
        if identifier not in entry["resource"]["identifier"]:
            raise Refused(400, "a resource that could not be found by its own address")
        found = [kept for kept in self.kept.get(kind, []) if identifier in kept.resource["identifier"]]
        if len(found) > 1:
            raise Refused(412, "more than one match")
        return kind, search, found[0] if found else None

    def _delete(self, url: str) -> str:
        kind, identifier = _searched(url)
        all_kept = self.kept.get(kind, [])
        found = [kept for kept in all_kept if identifier in kept.resource["identifier"]]
        for each in found:
            pointing = f'"{kind}/{each.id}"'
            for others in self.kept.values():
                for other in others:
                    if pointing in str(other.resource).replace("'", '"'):
                        raise Refused(409, f"{kind} is still referred to")
            all_kept.remove(each)
        return "204 No Content"


def _searched(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    ((system, _, value),) = [each.partition("|") for each in parse_qs(parts.query, strict_parsing=True)["identifier"]]
    return parts.path, {"system": system, "value": value}


def _resolved(value: Any, ids: dict[str, str], where: str) -> Any:
    """The resource with references inside the bundle made into those of this server."""
    if isinstance(value, list):
        return [_resolved(each, ids, where) for each in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("reference"), str):
        try:
            uuid.UUID(value["reference"].removeprefix("urn:uuid:"))
            return value | {"reference": ids[value["reference"]]}
        except (ValueError, KeyError):
            raise Refused(400, f"{value['reference']} is nowhere in the bundle", where) from None
    return {name: _resolved(each, ids, where) for name, each in value.items()}


def _valid(resource: dict[str, Any], kind: str, where: str = "Bundle") -> None:
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as problem:
        first = problem.errors()[0]
        raise Refused(422, f"{first['msg']} at {'.'.join(map(str, first['loc']))}", where) from None
