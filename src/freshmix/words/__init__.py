"""Plain values -> what a person reads: every sentence, label and table of text has its one place here."""
