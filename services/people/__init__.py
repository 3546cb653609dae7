"""Who may use the console of a site: accounts, passwords, second factors, sessions, lock-out. Knows no web pages."""
