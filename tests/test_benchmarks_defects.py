from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import defects
from benchmarks.defects import LAWS, SCHEMATHESIS, Trial, Verdict
from contract_tests.defects import CATALOGUE, Defect

DEFECT = Defect("any key is taken", "keychain", "credentials", "The key is not compared with anything.")
TRIAL = Trial(DEFECT.api, DEFECT.name, SCHEMATHESIS, 10, 0)


def verdict(*failures: tuple[str, str], questions: tuple[tuple[str, str], ...] = ()) -> Verdict:
    return Verdict(frozenset(failures), frozenset(questions), 100, 2.0, 1.5)


def test_the_laws_judge_an_implementation() -> None:
    """What they say of the defect they do not say of the sound one, and every request is counted."""
    trial = Trial(DEFECT.api, DEFECT.name, LAWS, 0, 0)
    runs = {each: defects.judge(each) for each in (trial.sound, trial)}

    assert runs[trial.sound].accused == frozenset()
    assert DEFECT.law in {law for law, _ in defects.new(trial, runs)}
    assert runs[trial].requests > 100


def test_schemathesis_runs_as_it_ships() -> None:
    """Everything is on; its own number of examples is not even named."""
    stock = defects.command(TRIAL._replace(examples=defects.STOCK), Path("a.yaml"), "http://a", {"X": "y"}, Path("r.json"))

    assert "--max-examples" not in stock
    assert stock[stock.index("--header") + 1] == "X: y"
    assert stock[stock.index("--checks") + 1] == "all"
    assert "--max-examples" in defects.command(TRIAL, Path("a.yaml"), "http://a", {}, Path("r.json"))


def test_failures_and_errors_accuse_and_warnings_do_not() -> None:
    """Whatever ends the command with an error counts for Schemathesis."""
    report = {
        "failures": [{"title": "Server error", "operations": ["GET /a", "PUT /a"]}, {"title": "Run", "operations": []}],
        "errors": [{"title": "Network error", "count": 1}],
        "warnings": {"missing_test_data": ["GET /b"]},
    }

    assert defects.reported(report) == {
        ("Server error", "GET /a"),
        ("Server error", "PUT /a"),
        ("Run", ""),
        ("Network error", ""),
    }


@pytest.mark.parametrize(
    ("failures", "found"),
    [((("A", "GET /a"),), 0), ((("A", "GET /b"),), 1), ((("B", "GET /a"),), 1), ((), 0)],
)
def test_found_is_what_the_sound_one_is_not_accused_of(failures: tuple[tuple[str, str], ...], found: int) -> None:
    """A failure that the sound implementation gives as well shows nothing."""
    runs = {TRIAL.sound: verdict(("A", "GET /a")), TRIAL: verdict(*failures)}

    assert defects.row("all", [DEFECT], runs, 10).cells[SCHEMATHESIS] == defects.Cell(1, found, 100, 1.5)


def test_a_question_is_found_and_told_apart() -> None:
    """A rule that the contract only infers is no violation."""
    trial = Trial(DEFECT.api, DEFECT.name, LAWS, 0, 0)
    runs = {trial.sound: verdict(), trial: verdict(questions=((DEFECT.law, "getSku"),))}
    row = defects.row("all", [DEFECT], runs, 10)

    assert (row.cells[LAWS].found, row.by_named_law, row.questions_only) == (1, 1, 1)
    assert row.cells[SCHEMATHESIS].judged == 0


def test_runs_are_kept_line_by_line(tmp_path: Path) -> None:
    """What a file has is not judged again, and its lines are what was judged."""
    runs = {TRIAL.sound: verdict(), TRIAL: verdict(("A", "GET /a"), questions=(("B", ""),))}
    path = tmp_path / "runs.jsonl"
    path.write_text("".join(defects.line(trial, one) for trial, one in runs.items()))

    assert defects.kept(path) == runs
    assert defects.run(list(runs), defects.kept(path), path) == []
    assert len(path.read_text().splitlines()) == len(runs)


def test_a_line_that_is_no_run_is_named(tmp_path: Path) -> None:
    """The file and the line, so that it can be taken out."""
    path = tmp_path / "runs.jsonl"
    path.write_text(defects.line(TRIAL, verdict()) + '{"api": "keych')

    with pytest.raises(ValueError, match=r"runs\.jsonl:2 is not a run"):
        defects.kept(path)


def test_every_implementation_is_judged_beside_its_sound_one() -> None:
    """Under the same number of examples and the same bound."""
    trials = defects.planned(CATALOGUE, defects.JUDGES, 10)

    assert {trial.sound for trial in trials} <= set(trials)
    assert len(trials) == len(set(trials))
    assert len([trial for trial in trials if trial.defect]) == 2 * len(CATALOGUE)


def test_more_examples_are_compared_on_the_same_defects() -> None:
    """What both numbers were tried on, and nothing else."""
    more = TRIAL._replace(examples=100)
    other = TRIAL._replace(defect="limit does nothing")
    runs = {TRIAL.sound: verdict(), TRIAL: verdict(), other: verdict(("A", "")), more.sound: verdict(), more: verdict(("A", ""))}

    assert defects.more_examples(runs, 10) == [{"examples": 100, "defects": 1, "found": 1, "found_with_usual": 0}]


def test_unknown_names_are_told_all_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """With the names that may be meant."""
    with pytest.raises(SystemExit, match="2"):
        defects.main(["keychan", "keychain", "--defect", "any key is takn"])

    told = capsys.readouterr().err
    assert "'keychain' meant" in told
    assert "'any key is taken' meant" in told


def test_the_command_writes_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table on the terminal, and everything in a file."""
    lines, figures = tmp_path / "folder" / "runs.jsonl", tmp_path / "figures.json"

    status = defects.main(
        ["keychain", "--defect", DEFECT.name, "--judge", LAWS, "--lines", str(lines), "--json", str(figures), "--examples", "10"]
    )

    assert status == 0
    assert "| keychain | 1 | - | - | - | 1 | 1 |" in capsys.readouterr().out
    assert json.loads(figures.read_text())["all"][0]["cells"][LAWS]["found"] == 1


def test_showing_judges_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is kept is told, what is not judged yet is left open, and the file stays as it is."""
    path = tmp_path / "runs.jsonl"
    path.write_text(defects.line(TRIAL.sound, verdict()) + defects.line(TRIAL, verdict(("A", ""))))
    before = path.read_bytes()

    assert defects.main(["keychain", "--show", "--lines", str(path), "--examples", "10"]) == 0

    assert "| 1 of 1 | 100 | 1.5 | - | - | - | - |" in capsys.readouterr().out
    assert path.read_bytes() == before
