"""Copies of a site on a medium that can be carried away, sealed to a key that lies on paper; and the way back."""
