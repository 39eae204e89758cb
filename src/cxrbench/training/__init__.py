"""From studies to trained runs: grid (which runs), store (which are done), fit (one run), executor, tracking."""
