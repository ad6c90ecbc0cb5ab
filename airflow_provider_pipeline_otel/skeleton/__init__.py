"""A finished run's rows → the spans of run, tries and markers."""
