"""The version, written once: the package, results on disk and the build read it here."""

__version__ = "0.1.0"
