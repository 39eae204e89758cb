"""What must hold of every table before a model sees an image: Great Expectations suites, their run, their pages."""
