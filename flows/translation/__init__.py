"""What translators and reviewers of the catalogues need: states, checks, and the way out to a table and back.

Only `exchange`, `spreadsheet`, `po` and `cldr` need Babel or openpyxl; commands alone import those.
"""
