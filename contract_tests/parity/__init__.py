"""The same scenarios at the mock and at the real implementation -> where the two differ, and who is at fault.

In the order in which they work: command, scenarios, duo, judging, aligning, differing, telling.
"""
