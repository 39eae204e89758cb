"""From a file to pixels: decoding, DICOM, features, perceptual hash, squares."""
