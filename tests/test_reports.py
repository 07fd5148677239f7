"""Reports over results that are made up, with texts of strangers in them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import hypothesis
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests import outcome
from contract_tests.baseline import Baseline
from contract_tests.costs import Cost
from contract_tests.exchanges import Answer, Exchange, Request
from contract_tests.findings import Finding, Leftover, Proof, Result, Unproved
from contract_tests.masking import Masking
from contract_tests.outcome import Outcome
from contract_tests.reports import WRITERS, curls, document, junit, page, sarif, terminal
from contract_tests.settings import Report, Settings
from contract_tests.waivers import Waiver
from mock_server import contract, har
from mock_server.contract import Json, Origin, Place
from mock_server.credentials import Credential

ROOT = Path(__file__).parent.parent
CONTRACTS = contract.load_all(ROOT / "openapi", ["fentu", "lemonsoft"])
TODAY = date(2026, 3, 1)
SECRET = "s3cr3t-9f8e7d6c5b4a"
HOSTILE = "</script><script>alert(1)</script>\x00\x1b[31m]]>&amp;\"'\u202e\ud800 %s ${title} é😀"
SENTENCES = {
    "create-persists": "What a creation was sent is read back.",
    "guards": "A guard holds.",
    "latency": "Answers are quick.",
}
NAME = ("create-persists", "fentu", "createCustomer", "name")
CREATE, GUARDS = ({"api": "fentu", "law": law} for law in ("create-persists", "guards"))


def exchange(
    method: str = "POST", target: str = "/customers", body: bytes | None = b'{"name": "A"}', seen: bytes = b"{}"
) -> Exchange:
    headers = (("Authorization", f"Bearer {SECRET}"), ("Content-Type", "application/json"))
    return Exchange(
        Request(method, target, headers, body),
        Answer(201, (("Content-Type", "application/json"),), seen, 0.0123),
        "createCustomer",
    )


def finding(key: tuple[str, str, str, str] = NAME, *, seen: str = "'A'", origin: str = "seed", **changed: Json) -> Finding:
    place = Place("openapi/fentu/openapi.yaml", 170)
    made = Finding(*key, "name ' A '", seen, (exchange(),), place, Origin(origin, "Nobody says."), times=3)  # type: ignore[arg-type]
    return replace(made, **changed)


def result(*findings: Finding, **changed: Json) -> Result:
    proofs = [Proof("create-persists", "fentu", "createCustomer", "email", 4), Proof("guards", "fentu", "deleteCustomer", "")]
    unproved = [Unproved("latency", "fentu", "listCustomers", "", "no bound was given")]
    exchanges = {"fentu": [exchange(), exchange("GET", "/customers?page=2&search=x", None)]}
    seconds = {("fentu", "create-persists"): 1.5, ("fentu", "guards"): 0.25}
    made = Result("https://api.example.com", 7, ("fentu",), list(findings), proofs, unproved, exchanges, seconds=seconds)
    made.costs |= {("fentu", "create-persists"): Cost(1.5, 3, 1.2), ("fentu", "guards"): Cost(0.25, 1, 0.05)}
    made.costs |= {("fentu", "guards: a phase"): Cost(0.125, 1, 0.025)}
    return replace(made, **changed)


def told(made: Result, *, mask: bool = True, **options: Json) -> Outcome:
    known = {"fentu": (Credential("FENTU_API_KEY", SECRET),)}
    settings = Settings(CONTRACTS, {"fentu": "https://api.example.com/v1"}, known, **options)
    masked = Masking(CONTRACTS, known).result(made, exchanges=True) if mask else made
    return outcome.of(masked, settings, TODAY, SENTENCES)


def waiver(**changed: Json) -> Waiver:
    made = Waiver(
        "create-persists", "fentu", "createCustomer", "*", "They mend it.", date(2026, 12, 31), Place("waivers.yaml", 3)
    )
    return replace(made, **changed)


# What a result means


@pytest.mark.parametrize(
    ("made", "options", "status"),
    [
        (result(), {}, 0),
        (result(finding()), {}, 1),
        (result(finding(origin="inferred")), {}, 0),
        (result(finding(origin="inferred")), {"strict": True}, 1),
        (result(finding()), {"waivers": (waiver(),)}, 0),
        (result(finding()), {"waivers": (waiver(until=date(2026, 2, 28)),)}, 1),
        (result(), {"waivers": (waiver(),)}, 1),  # It is not used.
        (result(), {"waivers": (waiver(law="no-server-errors"),)}, 0),  # That law was not tried.
        (result(finding()), {"baseline": Baseline(frozenset({NAME}), frozenset())}, 0),
        (result(finding()), {"baseline": Baseline(frozenset({(*NAME[:3], "fax")}), frozenset())}, 1),
        (result(), {"baseline": Baseline(frozenset(), frozenset({("guards", "fentu", "deleteAsset", "")}))}, 1),
        (result(), {"baseline": Baseline(frozenset(), frozenset({("scopes", "fentu", "deleteAsset", "")}))}, 0),
        (result(hollow=["fentu: getAsset never succeeded"]), {}, 3),
        (result(finding(), hollow=["fentu: getAsset never succeeded"]), {}, 1),
        (result(proofs=[]), {}, 3),
        (result(interrupted=True), {}, 3),
        (result(finding(), unreachable="refused"), {}, 3),
    ],
)
def test_the_exit_status(made: Result, options: Mapping[str, Json], status: int) -> None:
    """0 all held, 1 violations, 3 nothing proved or unreachable; what is inferred, waived or known fails nothing."""
    assert told(made, **options).status == status


# JUnit

JUNIT = {  # element -> its attributes, the elements within it
    "testsuites": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testcase"}),
    "testcase": ({"name", "classname", "time"}, {"failure", "skipped", "system-out"}),
    "failure": ({"type", "message"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}


def junit_of(made: Outcome) -> ElementTree.Element:
    """The report, which is JUnit as CI servers read it."""
    root = ElementTree.fromstring(junit.text(made).encode())
    for element in root.iter():
        attributes, within = JUNIT[element.tag]
        assert set(element.attrib) == attributes
        assert {child.tag for child in element} <= within
    for suite in root:
        assert int(suite.get("tests", "")) == len(suite)
        assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure/.."))
    return root


def test_junit_has_a_case_for_each_law_and_operation() -> None:
    """Failed, passed, or skipped with the reason."""
    root = junit_of(told(result(finding())))

    cases = {case.get("name"): [child.tag for child in case] for case in root.iterfind("testsuite[@name='fentu']/testcase")}
    assert cases == {
        "create-persists: createCustomer": ["failure"],
        "guards: deleteCustomer": [],
        "latency: listCustomers": ["skipped"],
    }
    assert [case.get("message") for case in root.iter("skipped")] == ["no bound was given"]
    assert "openapi/fentu/openapi.yaml:170" in str(next(root.iter("failure")).text)


def test_junit_fails_where_the_run_fails() -> None:
    """A question is no failure; waivers, the baseline and what was not proved are cases of their own."""
    made = told(result(finding(origin="inferred"), hollow=["nothing was sent"]), waivers=(waiver(law="guards", operation="*"),))

    failed = [case.get("name") for case in junit_of(made).iterfind("testsuite/testcase/failure/..")]

    assert failed == ["enough is proved", "waivers are used and have not expired"]


@hypothesis.settings(max_examples=30)
@given(st.text())
def test_junit_holds_any_text(text: str) -> None:
    """Whatever a stranger's body holds, the report is XML."""
    junit_of(told(result(finding(seen=text + HOSTILE, subject=text))))


# JSON and the baseline


def test_the_json_report_has_the_form_that_is_published() -> None:
    """And a later run reads it as its baseline."""
    made = told(
        result(
            finding(),
            finding(("guards", "fentu", "", HOSTILE), origin="inferred"),
            leftovers=[Leftover("fentu", "customer", "c", "x")],
        ),
        waivers=(waiver(),),
        baseline=Baseline(frozenset(), frozenset({("guards", "fentu", "x", "y")})),
    )
    form = json.loads((Path(document.__file__).parent / "report.schema.json").read_text())

    value = json.loads(document.text(made))

    jsonschema.Draft202012Validator.check_schema(form)
    assert [error.message for error in jsonschema.Draft202012Validator(form).iter_errors(value)] == []
    assert [one["standing"] for one in value["findings"]] == ["waived", "question"]
    assert value["fallen"] == [{"law": "guards", "api": "fentu", "operation": "x", "subject": "y"}]
    assert value["apis"]["fentu"]["operations"]["createCustomer"]["properties"]["name"] == 1


# SARIF


def test_sarif_stands_at_the_line_of_the_contract() -> None:
    """With rules, levels, fingerprints, suppressions, and the request that shows it."""
    fax, guards = finding((*NAME[:3], "fax")), finding(("guards", "fentu", "deleteCustomer", ""), origin="inferred")
    log = json.loads(sarif.text(told(result(finding(), fax, guards), waivers=(waiver(subject="fax"),))))

    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["create-persists", "guards"]
    assert [rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"]] == [True] * 3
    assert [one["level"] for one in run["results"]] == ["error", "error", "note"]
    assert len({one["partialFingerprints"]["finding/v1"] for one in run["results"]}) == 3
    assert [one.get("suppressions", [{}])[0].get("justification") for one in run["results"]] == [
        None,
        "They mend it. (until 2026-12-31)",
        None,
    ]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "openapi/fentu/openapi.yaml"}, "region": {"startLine": 170}}
    assert run["results"][0]["webRequest"]["target"] == "https://api.example.com/v1/customers"
    assert run["invocations"][0]["exitCode"] == 1


def test_sarif_says_what_is_new() -> None:
    log = json.loads(
        sarif.text(told(result(finding(), finding((*NAME[:3], "fax"))), baseline=Baseline(frozenset({NAME}), frozenset())))
    )

    assert [one["baselineState"] for one in log["runs"][0]["results"]] == ["unchanged", "new"]


# HTML


class Structure(HTMLParser):
    """The elements of a page, and the text in them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.text += data


def structure(made: Outcome) -> Structure:
    found = Structure()
    found.feed(page.text(made))
    return found


def test_the_page_needs_nothing_else() -> None:
    """No script, no address that a browser would ask."""
    found = structure(told(result(finding(), finding(origin="inferred", subject="fax"))))

    assert not {"script", "link", "img", "iframe", "object", "form"} & set(found.tags)
    assert not {"src", "href", "action", "style", "onclick"} & {name for name, _ in found.attributes}
    assert "url(" not in page.text(told(result()))
    assert "default-src 'none'" in dict(found.attributes).values() or any(
        "default-src 'none'" in str(v) for _, v in found.attributes
    )


def test_the_page_tells_everything() -> None:
    """What was found, proved and not, what was reached, how long it took."""
    text = structure(told(result(finding()), waivers=(waiver(until=date(2026, 1, 1)),))).text

    for part in (
        "The contract is broken.",
        "create-persists, createCustomer, name",
        "What a creation was sent is read back.",
        "openapi/fentu/openapi.yaml:170",
        "no bound was given",
        "has expired on 2026-01-01",
        "POST /customers",
        "95 % ms",
    ):
        assert part in text


@hypothesis.settings(max_examples=30)
@given(st.text())
def test_the_page_is_the_same_whatever_strangers_write(text: str) -> None:
    """Bodies, headers and ids change its text, and none of its elements."""
    hostile = text + HOSTILE
    strange = replace(
        exchange(seen=hostile.encode(errors="surrogatepass")),
        answer=Answer(200, ((hostile, hostile),), hostile.encode(errors="replace")),
    )
    plain = finding(exchanges=(replace(strange, answer=Answer(200, (("a", "b"),), b"c")),))

    found = structure(told(result(replace(plain, subject=hostile, seen=hostile, exchanges=(strange,))), mask=False))

    assert found.tags == structure(told(result(plain), mask=False)).tags


def test_the_json_report_tells_where_the_time_went() -> None:
    """Of each law and of each phase of one, as --durations shows it."""
    value = document.value(told(result()))

    phase = {"name": "a phase", "seconds": 0.125, "waiting": 0.025, "judging": 0.1, "requests": 1}
    assert value["durations"] == [
        {**CREATE, "seconds": 1.5, "waiting": 1.2, "judging": 0.3, "requests": 3, "phases": []},
        {**GUARDS, "seconds": 0.25, "waiting": 0.05, "judging": 0.2, "requests": 1, "phases": [phase]},
    ]


# The terminal


@hypothesis.settings(max_examples=30)
@given(st.text(), st.booleans())
def test_nothing_of_a_stranger_commands_the_terminal(text: str, colours: bool) -> None:
    """Control characters are shown, not obeyed."""
    made = told(result(finding(seen=text + HOSTILE, subject=text), target=HOSTILE, hollow=[HOSTILE]), mask=False)

    written = re.sub(r"\x1b\[\d+m", "", terminal.text(made, colours=colours)) if colours else terminal.text(made)

    assert [character for character in written if character < " " and character != "\n"] == []
    assert "\x7f" not in written
    assert "\u202e" not in written


def test_the_terminal_says_what_to_do() -> None:
    """The law in one sentence, expected, seen, the requests to paste, the place, how often."""
    written = terminal.text(told(result(finding())), durations=True)

    for part in (
        "1. fentu: create-persists, createCustomer, name, 3 times",
        "law       What a creation was sent is read back.",
        "expected  name ' A '",
        "seen      'A'",
        "contract  openapi/fentu/openapi.yaml:170",
        "$ curl -X POST https://api.example.com/v1/customers -H 'Authorization: Bearer '\"$FENTU_API_KEY\" -H",
        "201 {}",
        "  seconds   waiting   judging  requests  fentu",
        "     1.50      1.20      0.30         3  create-persists",
        "     0.12      0.03      0.10         1  guards: a phase",
        "     1.75      1.25      0.50         4  in all",
        "fentu: 1 violation; 2 proofs of 2 laws, 1 unproved; 1 of 18 operations, 2 requests; 1.8 s",
        "The contract is broken. Target https://api.example.com, seed 7.",
    ):
        assert part in written


def test_the_lines_to_paste_work_in_a_shell() -> None:
    """Credentials come from the environment; a session is opened first."""
    known = {
        "lemonsoft": (
            Credential("environment", None, dict.fromkeys(("UserName", "Password", "Database", "ApiKey"), "p4ss-w0rd")),
        )
    }
    login = next(one.operation_id for one in CONTRACTS["lemonsoft"].operations.values() if one.action == "login")
    session = Exchange(Request("POST", "/auth/login", (), b"{}"), Answer(200, (), b'{"session_id": "5e5510n-1d"}'), login)
    asked = Exchange(Request("GET", "/customers?a='b'", (("Session-Id", "5e5510n-1d"),)), Answer(200), "listCustomers")
    made = result(
        finding(("guards", "lemonsoft", "listCustomers", ""), exchanges=(asked,)), exchanges={"lemonsoft": [session, asked]}
    )
    settings = Settings(CONTRACTS, {"lemonsoft": "https://erp.example.com"}, known)
    one = outcome.of(Masking(CONTRACTS, known).result(made), settings, TODAY, SENTENCES)
    fake = """curl() { if [ "$2" = POST ]; then echo '{"session_id": "fresh"}'; fi; printf '<%s>' "$@" >&2; }\n"""
    variables = {"LEMONSOFT_USERNAME": "me", "LEMONSOFT_PASSWORD": "it's", "LEMONSOFT_DATABASE": "db", "LEMONSOFT_APIKEY": "key"}

    ran = subprocess.run(
        ["/bin/sh"],
        input=fake + "\n".join(curls.lines(one, one.result.findings[0])),
        env=variables,
        text=True,
        capture_output=True,
        check=True,
    )

    body = json.dumps({"UserName": "me", "Password": "it's", "Database": "db", "ApiKey": "key"})
    assert f"<https://erp.example.com/auth/login><-H><Content-Type: application/json><--data-raw><{body}><--silent>" in ran.stderr
    assert ran.stderr.endswith("<https://erp.example.com/customers?a='b'><-H><Session-Id: fresh>")


def test_questions_stand_apart() -> None:
    """With the reason for which the contract infers the rule."""
    written = terminal.text(told(result(finding(origin="inferred"))))

    assert written.index("Questions") < written.index("inferred  Nobody says.")
    assert "Violations" not in written
    assert "All that the contract states held; of what it infers, not all did." in written


# HAR


def test_the_har_report_holds_every_exchange() -> None:
    """At their whole addresses, one after the other."""
    made = replace(told(result()), started=1_772_366_400_000_000)

    entries = har.read(WRITERS["har"](made).encode())

    assert [(one.request.method, one.request.url) for one in entries] == [
        ("POST", "https://api.example.com/v1/customers"),
        ("GET", "https://api.example.com/v1/customers?page=2&search=x"),
    ]
    assert [one.at for one in entries] == ["2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00.012Z"]


# Secrets


def planted(token: str) -> Iterator[Finding]:
    """Findings that have a token wherever one may stand."""
    session = Exchange(
        Request(
            "POST",
            "/auth/login",
            (("Content-Type", "application/json"),),
            json.dumps({"Password": token, "UserName": "u"}).encode(),
        ),
        Answer(
            200, (("Set-Cookie", f"sid={token}; HttpOnly"),), json.dumps({"session_id": token, "echo": f"of {token}!"}).encode()
        ),
        "login",
    )
    asked = Exchange(
        Request("GET", f"/customers?api_key={token}", (("Authorization", f"Bearer {token}"), ("X-Trace", token))),
        Answer(500, (("X-Echo", token),), f"<p>{token}</p>".encode()),
        "listCustomers",
    )
    yield finding(seen=f"500 ({token})", subject=token, expected=f"not {token}", exchanges=(session, asked))
    yield finding(("guards", "lemonsoft", "login", ""), exchanges=(session,))


@hypothesis.settings(max_examples=30)
@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=12, max_size=30))
def test_no_report_holds_a_secret(token: str) -> None:
    """Wherever it was sent or came back."""
    token = f"zq{token}"
    findings = list(planted(token))
    made = told(result(*findings, exchanges={"fentu": list(findings[0].exchanges), "lemonsoft": list(findings[1].exchanges)}))

    written = {name: write(made) for name, write in WRITERS.items()} | {"terminal": terminal.text(made)}

    assert [name for name, text in written.items() if token in text] == []


# Writing


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The others are written all the same."""
    from contract_tests import reports  # noqa: PLC0415

    complaints = reports.write(told(result()), [Report("json", tmp_path), Report("sarif", tmp_path / "a.sarif")])

    assert complaints == [f"the json report {tmp_path} cannot be written: Is a directory"]
    assert (tmp_path / "a.sarif").is_file()
