"""The steps of jobs, a file each.

A step has two halves. `prepare` runs in the thread of the request: it checks the result, adopts files, and reads what
is slow to read. What it gives back runs in the writer's thread, in the one transaction that finishes the step.
"""
