"""One file a source of images, found by its name: it offers ``read``, which lists every file of a folder."""
