"""How well the voices can be understood, measured without a listener. See voices/README.md.

`requirements.txt` here is for what listens (Whisper); everything else runs with the product's own requirements.
"""
