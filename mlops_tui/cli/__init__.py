"""The command line: one file per group of verbs, all of them thin over `engine.client`.

Nothing heavy is imported at the top of these files, so that `mlops status` is quick: a verb imports what it needs.
"""
