"""What a request may contain, and how its reference images reach Segmind.

Belongs here: validation of requests and URIs, staging of inline images, signed URLs for uploads and for Segmind.
Does not belong here: routes, and what happens after the request is known to be valid and its references have URIs.
"""
