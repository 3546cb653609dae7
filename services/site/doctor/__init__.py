"""What is wrong with this machine and how to mend it, in words for whoever stands before it: `python app.py doctor`.

Each check looks at one thing and reports findings. A new one is a function in one of these modules and a line in
`examination.py`.
"""
