"""params.yaml as checked values: settings, cohorts, studies."""
