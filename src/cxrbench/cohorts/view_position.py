"""The view that a source's own words tell; what they leave open is the view network's to say."""

# DICOM's View Position (0018,5101): AP and PA face the chest; LL is a left lateral.
VIEWS = {
    "AP": "frontal",
    "PA": "frontal",
    "FRONTAL": "frontal",
    "LATERAL": "lateral",
    "LL": "lateral",
}


def view_of(view_position: str) -> str:
    """'frontal', 'lateral', or '' where the position is empty, oblique or unknown."""
    return VIEWS.get(view_position.strip().upper(), "")
