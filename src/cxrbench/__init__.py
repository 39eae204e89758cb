"""cxrbench re-runs published comparisons of training settings for chest X-ray classifiers."""
