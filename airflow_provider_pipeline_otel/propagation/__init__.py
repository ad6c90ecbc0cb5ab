"""W3C context over boundaries: every carrier has the same verbs, inject, extract and links."""
