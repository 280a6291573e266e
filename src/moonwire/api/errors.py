"""Gives every failed request the same shape: `{"msg": sentence, "code": stable word}`.

`msg` is what jambonz clients show; `code` is for programs. Nothing of a request's content comes back in an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

from moonwire.errors import ConfigError, HookError, RecordError, StoreUnavailableError


class ErrorBody(BaseModel):
    """The body of every 4xx and 5xx answer."""

    msg: str
    code: str


class ApiError(Exception):
    """A request that cannot be served; `status` is the HTTP status."""

    def __init__(self, status: int, msg: str, code: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(msg)
        self.status = status
        self.code = code or _CODES.get(status, "failed")
        self.headers = headers or {}


def too_soon(msg: str, wait_s: float) -> ApiError:
    """Make the error of a client that has to wait (RFC 9110 section 10.2.3)."""
    return ApiError(429, msg, headers={"Retry-After": str(ceil(wait_s))})


_CODES = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    422: "unprocessable",
    429: "too-many-requests",
    480: "temporarily-unavailable",
    500: "internal",
    503: "unavailable",
}


_RECORD_STATUS = {"invalid": 400, "forbidden": 403, "not-found": 404, "conflict": 422, "in-use": 422}


def install_error_shape(app: FastAPI) -> None:
    """Register the handlers on an application."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HookError, _hook_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(ConfigError, _config_error)
    app.add_exception_handler(RecordError, _record_error)
    app.add_exception_handler(StoreUnavailableError, _store_unavailable)


def error_response(status: int, msg: str, code: str = "") -> Response:
    """Make the answer; 401 is plain text, as jambonz clients expect."""
    if status == 401:
        return PlainTextResponse(msg, status_code=401, headers={"WWW-Authenticate": "Bearer"})
    return JSONResponse(ErrorBody(msg=msg, code=code or _CODES.get(status, "failed")).model_dump(), status_code=status)


def _hook_error(_request: Request, error: Exception) -> Response:
    """An application that the request names could not be asked."""
    return error_response(400, str(error))


def _api_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        return error_response(500, "Internal error.")
    response = error_response(error.status, str(error), error.code)
    response.headers.update(error.headers)
    return response


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return error_response(500, "Internal error.")
    response = error_response(error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(sorted(_allowed_methods(request)))
    return response


def _allowed_methods(request: Request) -> set[str]:
    """Return the methods of all routes of a path; each route knows only its own (RFC 9110 section 15.5.6)."""
    allowed: set[str] = set()
    for method in ("GET", "POST", "PUT", "DELETE"):
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            allowed.add(method)
    return allowed


def _record_error(_request: Request, error: Exception) -> Response:
    why = error.why if isinstance(error, RecordError) else "invalid"
    return error_response(_RECORD_STATUS[why], str(error), why)


def _store_unavailable(_request: Request, _error: Exception) -> Response:
    return error_response(503, "The database is not available; try again later.", "store-unavailable")


def _config_error(_request: Request, error: Exception) -> Response:
    return error_response(422, str(error))


def _validation_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        return error_response(500, "Internal error.")
    return error_response(400, "; ".join(_sentence(detail) for detail in error.errors()) or "The request is invalid.")


def _sentence(detail: dict[str, Any]) -> str:
    """Name the member and what is wrong with it, without its value."""
    location: Sequence[object] = detail.get("loc", ())
    path = ".".join(str(part) for part in location[1:]) or "body"
    text = str(detail.get("msg", "is invalid")).removeprefix("Value error, ")
    match detail.get("type"):
        case "missing":
            return f"{path} is required"
        case "extra_forbidden":
            return f"{path} is not a known property"
        case "json_invalid":
            return "the body is not valid JSON"
        case _:
            return f"{path}: {text[:1].lower()}{text[1:]}"
