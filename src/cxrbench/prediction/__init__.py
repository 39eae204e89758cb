"""What a trained network says of an image: files from a command line, and the bytes of files from a server."""
