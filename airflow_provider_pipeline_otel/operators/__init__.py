"""Operators to swap in, and the mixin that chains tasks' contexts over XCom."""
