"""REST: SystemInformation, which tells what kind of server this is."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from moonwire.api.access import Caller, Services
from moonwire.api.wire import ERRORS

routes = APIRouter(tags=["SystemInformation"], responses=ERRORS)


class SystemInformation(BaseModel):
    """jambonz's members, and ours: the version, and whether simulated vendors answer."""

    domain_name: str | None = None
    sip_domain_name: str | None = None
    monitoring_domain_name: str | None = None
    version: str
    sandbox: bool
    """Vendors without a stored key are simulated; no real key is needed and none is used."""


@routes.get("/SystemInformation", response_model=SystemInformation, operation_id="getSystemInformation")
async def system_information(_principal: Caller, services: Services) -> Any:
    """Return what kind of server this is."""
    return {"version": version("moonwire"), "sandbox": services.is_sandboxed}
