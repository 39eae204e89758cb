"""What a study is called in the model registry."""

import re


def model_name(study: str) -> str:
    """The study's name in the model registry."""
    return "cxrbench-" + re.sub(r"[^\w.-]+", "-", study)
