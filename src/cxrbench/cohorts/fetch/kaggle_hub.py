"""'Chest X-Ray Images (Pneumonia)' from Kaggle, through kagglehub with the user's own token.

kagglehub keeps its own cache (KAGGLEHUB_CACHE), which other projects of the user share and where a broken download goes
on; it does not try again by itself, so this does.
"""

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from cxrbench.base.errors import CxrbenchError

HANDLE = "paultimothymooney/chest-xray-pneumonia/versions/2"
PAGE = "https://www.kaggle.com/datasets/paultimothymooney/chest-xray-pneumonia"
ATTEMPTS = 6
REFUSALS = (401, 403)
PASSING = (408, 425, 429)  # and every 5xx


def fetch(wait: Callable[[float], object] = time.sleep) -> Path:
    """The unpacked data set in kagglehub's cache; ``wait`` takes seconds, between attempts."""
    import kagglehub
    import requests
    from kagglehub.exceptions import DataCorruptionError

    for attempt in range(ATTEMPTS):
        if attempt:
            wait(2.0**attempt)
        # What kagglehub raises may name a signed address, so its text goes into no sentence of ours.
        try:
            return Path(kagglehub.dataset_download(HANDLE))
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            if status in REFUSALS:
                raise CxrbenchError(_refused(status)) from None
            if status < 500 and status not in PASSING:
                raise CxrbenchError(f"Kaggle answers {status} for {HANDLE}; {_otherwise()}") from None
            failure = f"it answered {status}"
        except (requests.RequestException, DataCorruptionError) as error:
            failure = type(error).__name__
        except (zipfile.BadZipFile, ValueError) as error:  # also a kaggle.json that cannot be read
            raise CxrbenchError(
                f"kagglehub stopped ({type(error).__name__}); correct ~/.kaggle/kaggle.json, empty kagglehub's cache,"
                f" or {_otherwise()}"
            ) from None
    raise CxrbenchError(
        f"Kaggle could not be reached {ATTEMPTS} times in a row ({failure}); run again when the network is well, it"
        f" goes on from there, or {_otherwise()}"
    )


def _refused(status: int) -> str:
    return (
        f"Kaggle refuses the data set ({status}); set KAGGLE_API_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY, or save"
        f" ~/.kaggle/kaggle.json, and agree to its terms at {PAGE}, or {_otherwise()}"
    )


def _otherwise() -> str:
    return "set fetch to mendeley, where the same images need no account"
