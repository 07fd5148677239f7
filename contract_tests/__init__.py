"""Suites that say whether an implementation keeps its contract.

In the order of a run: `settings` (what a person chose), `targets` (where an API answers), `callers` (its operations as calls),
`laws` and `schemathesis_suite` (what must hold), `runner` (all of it -> `findings.Result`), `outcome` (what a result means),
`reports`. `traffic` judges recorded exchanges, `defects` proves that the laws find what is broken.
"""
