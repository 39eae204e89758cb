"""MIMIC-CXR-JPG of four images, as PhysioNet lays it out: tables, images, checksums."""

import gzip
import hashlib

BASE = "/files/mimic-cxr-jpg/2.1.0"
IMAGES = {  # dicom -> patient, study, view, pneumonia?
    "d1": ("10000001", "50000001", "PA", True),
    "d2": ("10000001", "50000001", "LATERAL", True),
    "d3": ("10000002", "50000002", "AP", False),
    "d4": ("12000003", "50000003", "PA", False),
}


def place(dicom):
    patient, study, _, _ = IMAGES[dicom]
    return f"files/p{patient[:2]}/p{patient}/s{study}/{dicom}.jpg"


def served(image=lambda dicom: dicom.encode() * 2000):
    """What PhysioNet holds, by the path on its server; ``image`` makes the bytes of an image."""
    rows = [f"{dicom},{patient},{study},{view}" for dicom, (patient, study, view, _) in IMAGES.items()]
    labels = {
        study: f"{study},{'' if sick else '1.0'},{'1.0' if sick else ''}" for _, study, _, sick in IMAGES.values()
    }
    tables = {
        "metadata": ["dicom_id,subject_id,study_id,ViewPosition", *rows],
        "chexpert": ["study_id,No Finding,Pneumonia", *labels.values()],
        "split": ["dicom_id,split", *(f"{dicom},train" for dicom in IMAGES)],
    }
    files = {f"mimic-cxr-2.0.0-{name}.csv.gz": gzip.compress("\n".join(t).encode()) for name, t in tables.items()}
    files |= {place(dicom): image(dicom) for dicom in IMAGES}
    sums = "".join(f"{hashlib.sha256(body).hexdigest()} {name}\n" for name, body in files.items())
    return {f"{BASE}/{name}": body for name, body in (files | {"SHA256SUMS.txt": sums.encode()}).items()}
