"""Files over HTTP, whole and checked."""
