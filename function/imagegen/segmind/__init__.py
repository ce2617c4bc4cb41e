"""The only folder that knows Segmind: how it is called, what it answers, and what each answer cost.

`v1.py` and `v2.py` are the two ways to buy an image, `client.py` calls and repeats, `failures.py` reads what is not a
200, `images.py` takes the image out of one, `hosted.py` fetches it where it is only named, `assets.py` hands over
references, `history.py` asks what became of calls.
"""
