"""Capsules: a failure in one file, that shows it again anywhere.

saving (a journal, a HAR file, a finding) → capsule → writing (its file) → reading
replaying: wallet (credentials) → aligning, places (ids and times) ⇄ destinations (a mock server, an API); shrinking
"""
