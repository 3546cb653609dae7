"""One target under the fuzzer, until it breaks or the inputs are used up.

python -m services.bench.fuzz.process TARGET CORPUS -runs=N …
"""

from __future__ import annotations

import sys
import time


def main(name: str, arguments: list[str]) -> None:
    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

    with atheris.instrument_imports(include=["services", "flows"]):
        from services.bench.fuzz.targets import TARGETS

        run = TARGETS[name].prepare()
    slowest = [0.0]

    def one(data: bytes) -> None:
        began = time.thread_time()
        run(data)
        if (took := time.thread_time() - began) > slowest[0]:
            slowest[0] = took
            print(f"slowest {took:.4f}", file=sys.stderr, flush=True)  # libFuzzer ends the process without a last word

    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
