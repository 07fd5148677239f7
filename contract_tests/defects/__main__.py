"""`python -m contract_tests.defects API [--defect NAME] [--port N]`: serves one implementation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import uvicorn

from contract_tests.defects import CATALOGUE, IMPLEMENTATIONS, application


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted, or list the defects."""
    parser = argparse.ArgumentParser(prog="python -m contract_tests.defects", description=__doc__)
    parser.add_argument("api", choices=sorted(IMPLEMENTATIONS))
    parser.add_argument("--defect", metavar="NAME", help="one of --list; without it the implementation is sound")
    parser.add_argument("--port", type=int, default=8081, metavar="N", help="default: 8081")
    parser.add_argument("--list", action="store_true", help="print the defects of the API and end")
    given = parser.parse_args(arguments)
    if given.list:
        print(*(f"{defect.name}\n    {defect.description}" for defect in CATALOGUE if defect.api == given.api), sep="\n")
        return 0
    try:
        served = application(given.api, given.defect)
    except LookupError as unknown:
        parser.error(f"{unknown.args[0]}; see --list")
    print(f"http://127.0.0.1:{given.port}{served.document.bases[0]}", flush=True)
    uvicorn.run(served, host="127.0.0.1", port=given.port, log_level="warning", lifespan="off")
    return 0


if __name__ == "__main__":
    sys.exit(main())
