"""The only folder that knows Segmind: how it is called, what it answers, and what each answer cost.

`client.py` calls and repeats, `failures.py` reads what is not a 200, `answers.py` takes the image out of a 200,
`pictures.py` tells a whole image from anything else.
"""
