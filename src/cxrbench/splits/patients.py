"""Whole patients for each part, so that every class count comes out exactly.

Each patient first falls into a part at random; then as few images as possible change sides to meet the
quotas. Patients may hold both labels, so this is a subset sum in two dimensions for each part, which an
integer programme (HiGHS, through SciPy) solves or proves impossible.
"""

import numpy as np
import pandas as pd

from cxrbench.config.quotas import Quotas

MAX_NODES = 20_000  # of the branch and bound; a limit in seconds would make the result depend on the machine


def patient_groups(images: pd.DataFrame, pictures: str = "sha256") -> np.ndarray:
    """int [n]: the patient of each image; patients who share a picture count as one.

    Images with one value in the column ``pictures`` are one picture: by default, byte-identical files.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    patients, shown = (pd.factorize(images[key])[0] for key in ("patient_id", pictures))
    nodes = patients.max(initial=-1) + 1 + shown.max(initial=-1) + 1
    edges = coo_array((np.ones(len(images)), (patients, patients.max(initial=-1) + 1 + shown)), (nodes, nodes))
    return connected_components(edges, directed=False)[1][patients]


def choose(groups: np.ndarray, labels: np.ndarray, quotas: Quotas, rng: np.random.Generator) -> np.ndarray | None:
    """The part of each image, '' for unused; None where no choice of whole patients meets the quotas.

    groups: int [n], the patient of each image. labels: str [n], each of them in the quotas.
    """
    parts, names = list(quotas), list(next(iter(quotas.values())))
    wanted = np.array([[quotas[part][label] for label in names] for part in parts])  # [parts, labels]
    _, group_of = np.unique(groups, return_inverse=True)
    held = np.zeros((group_of.max(initial=-1) + 1, len(names)), dtype=np.int64)  # images of each patient by label
    for column, label in enumerate(names):
        np.add.at(held[:, column], group_of[labels == label], 1)
    # Patients with the same counts can stand in for each other: decide how many of each kind, then who.
    kinds, kind_of, patients = np.unique(held, axis=0, return_inverse=True, return_counts=True)
    drawn = _draw(kinds, patients, wanted, rng)
    moved = _repair(kinds, patients, wanted, drawn)
    if moved is None:
        return None
    part_of_group = np.full(len(held), "", dtype=object)
    for kind, counts in enumerate(drawn + moved):
        members = rng.permutation(np.flatnonzero(kind_of == kind))
        part_of_group[members[: counts.sum()]] = np.repeat(parts, counts)
    return part_of_group[group_of]


def _draw(kinds: np.ndarray, patients: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """int [kinds, parts]: how many patients of each kind chance gives to each part; the others are unused."""
    share = wanted / np.maximum(kinds.T @ patients, 1)  # [parts, labels], of all images of that label
    chance = np.minimum(kinds @ share.T / kinds.sum(axis=1, keepdims=True), 1)  # [kinds, parts]
    unused = np.maximum(1 - chance.sum(axis=1, keepdims=True), 0)
    chance = np.hstack([chance, unused])
    return rng.multinomial(patients, chance / chance.sum(axis=1, keepdims=True))[:, :-1]


def _repair(kinds: np.ndarray, patients: np.ndarray, wanted: np.ndarray, drawn: np.ndarray) -> np.ndarray | None:
    """int [kinds, parts]: patients to add (or, negative, to take) so that every part holds what is wanted."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, hstack, kron, vstack

    n_kinds, n_parts = drawn.shape
    # Unknowns: patients of each kind that enter a part, then those that leave it.
    images_in = kron(csr_array(np.eye(n_parts)), csr_array(kinds.T))  # [parts x labels, parts x kinds]
    patients_in = kron(csr_array(np.ones((1, n_parts))), csr_array(np.eye(n_kinds)))  # [kinds, parts x kinds]
    enter = vstack([images_in, patients_in])
    lacking = (wanted - drawn.T @ kinds).ravel()
    spare = patients - drawn.sum(axis=1)
    low = np.concatenate([lacking, np.full(n_kinds, -np.inf)])
    most = np.concatenate([(patients - drawn.T).ravel(), drawn.T.ravel()])
    answer = milp(
        c=np.tile(kinds.sum(axis=1), 2 * n_parts),  # images moved
        integrality=np.ones(2 * n_parts * n_kinds),
        bounds=Bounds(0, most),
        constraints=LinearConstraint(hstack([enter, -enter]), low, np.concatenate([lacking, spare])),
        options={"node_limit": MAX_NODES, "mip_rel_gap": 0.1},
    )
    if answer.x is None:
        return None
    enters, leaves = np.rint(answer.x).astype(np.int64).reshape(2, n_parts, n_kinds)
    return (enters - leaves).T
