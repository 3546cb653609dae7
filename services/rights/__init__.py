"""What a person may ask of the clinic, to see what it keeps of her and to be forgotten; and what it forgets unasked."""
