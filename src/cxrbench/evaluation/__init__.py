"""From per-image scores to metrics, intervals and verdicts: NumPy and SciPy, no Keras."""
