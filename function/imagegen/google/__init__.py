"""The only folder that knows Google Cloud: objects in a bucket, and signed URLs.

Belongs here: what implements `ports.Objects` and `ports.Signer`. Imported on first use: it is half of a cold start.
Does not belong here: what the objects mean (`pipeline/job_objects.py`).
"""
