"""Which of the registered models a study's alias names."""

from cxrbench.base.errors import CxrbenchError
from cxrbench.tracking.model_name import model_name
from cxrbench.tracking.opening import Store, place_of


def registered(study: str, alias: str) -> str:
    """The study's name in the registry; CxrbenchError where no model there has the ``alias``."""
    name, models = model_name(study), Store(*place_of()).client.search_registered_models()
    has = {model.name: set(model.aliases) for model in models}
    if alias in has.get(name, ()):
        return name
    if has.get(name):
        raise CxrbenchError(f"the registry has no {name}@{alias}; choose by --alias {' or '.join(sorted(has[name]))}")
    raise CxrbenchError(
        f"the registry has no {name}@{alias} but {', '.join(sorted(has)) or 'nothing'}; train the study by"
        " 'dvc exp run', or log what was trained by 'cxrbench track'"
    )
