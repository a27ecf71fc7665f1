"""Checks for the test suite of an application that uses poolware; a pytest plugin brings them as fixtures."""

from poolware.testing.isolated import IsolationReport, assert_isolated
from poolware.testing.watch import Finding, Watch, watch

__all__ = ["Finding", "IsolationReport", "Watch", "assert_isolated", "watch"]
