"""Messages to audio for a telephone. Knows no database and no network."""
