"""Which of the registered models a study's alias names."""

from cxrbench.base.errors import CxrbenchError
from cxrbench.tracking.model_name import model_name
from cxrbench.tracking.opening import Store, place_of


def registered(study: str, alias: str) -> str:
    """The study's name in the registry; CxrbenchError where no model there has the ``alias``."""
    store = Store(*place_of())
    name, found = model_name(study), [m.name for m in store.client.search_registered_models() if alias in m.aliases]
    if name not in found:
        raise CxrbenchError(
            f"the registry has no {name}@{alias} but {', '.join(sorted(found)) or 'nothing'}; train the study by"
            " 'dvc exp run', or log what was trained by 'cxrbench track'"
        )
    return name
