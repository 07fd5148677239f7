"""Ask the installed `mock-server` and `contract-tests` for all that they do: contracts and fixtures travel in the wheel."""

import re
import subprocess
import sys
import urllib.request
from pathlib import Path

ASKED = {
    "/": {},
    "/fentu/api/v1/customers/cust-001": {"Authorization": "Bearer test-admin"},
    "/keychain/v1/customers/4021": {"X-API-Key": "test-key"},
    "/lemonsoft/openapi.yaml": {},
    "/fentu/docs": {},
    "/_mock/situations": {},
}

with subprocess.Popen([sys.argv[1], "--port", "0"], stdout=subprocess.PIPE, text=True) as server:  # noqa: S603  # our own
    try:
        line = server.stdout.readline() if server.stdout else ""
        found = re.search(r"http://\S+?(?=/\s)", line)
        if found is None:
            sys.exit(f"mock-server did not start: {line!r}")
        for path, headers in ASKED.items():
            request = urllib.request.Request(found[0] + path, headers=headers)  # noqa: S310  # loopback
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                print(answer.status, path, len(answer.read()), "bytes")
    finally:
        server.terminate()

installed = Path(sys.argv[1])
for command in (
    [installed, "errors", "keychain", "--verify"],
    [installed, "explain", "curl http://localhost:8080/keychain/v1/customer"],
    [installed.with_name("contract-tests"), "keychain", "--no-schemathesis"],
):
    subprocess.run(command, check=True)  # noqa: S603  # our own
