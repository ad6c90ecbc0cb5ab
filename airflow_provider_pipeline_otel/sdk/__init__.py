"""Live spans: the only code that imports opentelemetry.sdk, and that at the first span."""
