"""Signed updates of models and voices: the hub publishes with The Update Framework, a site fetches, tries and swaps."""
