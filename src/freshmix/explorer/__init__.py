"""The page that shows the theory in a browser: the front door's tables, the words of ``words``."""
