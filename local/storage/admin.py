"""The routes that Google does not have, under `/_local/`: for tests and people, from any process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, jsonify, request

from local.storage import errors
from local.storage.faults import Fault
from local.storage.uploads import json_object

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from local.storage.app import State


def add_routes(app: Flask, state: State) -> None:
    """Add a route for each thing that can be looked at, and for each that can be done."""
    _add_views(app, state)
    _add_actions(app, state)


def _add_views(app: Flask, state: State) -> None:
    @app.get("/_local/health")
    def health() -> ResponseReturnValue:
        return {"status": "ok"}

    @app.get("/_local/objects")
    def objects() -> ResponseReturnValue:
        """Return the objects of `?bucket=`, with the whole resource of each."""
        found = state.store.named(request.args.get("bucket", ""), request.args.get("prefix", ""))
        return jsonify([item.resource(request.host_url[:-1]) for item in found])

    @app.get("/_local/events")
    def events() -> ResponseReturnValue:
        """Return how many events wait and were taken, and each one of `?bucket=` and `&name=`, where given."""
        return state.events.report(request.args.get("bucket", ""), request.args.get("name", ""))

    @app.get("/_local/calls")
    def calls() -> ResponseReturnValue:
        return jsonify([call._asdict() for call in state.calls])

    @app.get("/_local/faults")
    def faults() -> ResponseReturnValue:
        return jsonify(state.faults.listed())


def _add_actions(app: Flask, state: State) -> None:
    @app.post("/_local/token")
    def token() -> ResponseReturnValue:
        """Hand out an access token, for a key file whose `token_uri` points here; no call asks to see it."""
        return {"access_token": "local", "token_type": "Bearer", "expires_in": 3600}

    @app.post("/_local/faults")
    def add_fault() -> ResponseReturnValue:
        """Add a fault by its fields, such as `{"kind": "answer", "status": 503, "times": 2}`."""
        try:
            state.faults.add(Fault(**json_object(request.get_data())))  # type: ignore[arg-type]  # 400 if it does not fit
        except (TypeError, ValueError) as error:
            raise errors.bad_request(str(error)) from None
        return state.faults.listed()[-1], 201

    @app.post("/_local/clear")
    def clear() -> ResponseReturnValue:
        state.clear()
        return "", 204
