"""What pages on this machine share, such as the console.

access.py says who is let in; server.py serves one; requests.py and forms.py read what is sent to it; style.py has its
look.
"""
