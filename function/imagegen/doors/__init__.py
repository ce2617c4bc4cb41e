"""The ways in: HTTP calls, storage events, scheduled calls. Each turns a call into an order, an outcome into an answer.

Belongs here: routes, headers, bodies, credentials, problem documents, the playground, OpenAPI.
Does not belong here: a decision about images or money (`pipeline/`), or how Segmind and Google are called.
"""
