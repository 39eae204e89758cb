"""A module a command of ``cxrbench``: ``add(commands)`` describes it, ``run(options)`` gives its exit code."""
