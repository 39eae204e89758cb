"""Frontal or lateral: what the metadata say, and the network for what they leave open."""
