"""The page `/docs`: Swagger UI from files that are installed, so that it opens without a way out to the internet."""

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

PREFERENCES = {"persistAuthorization": True, "displayRequestDuration": True, "docExpansion": "list"}


def serve(app: FastAPI) -> None:
    """Add the page, its files, and a way to it from `/`."""
    app.mount("/swagger", StaticFiles(packages=[("fastapi_swagger", "resources")]))

    async def page() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=app.openapi_url or "",
            title=app.title,
            swagger_js_url="/swagger/swagger-ui-bundle.js",
            swagger_css_url="/swagger/swagger-ui.css",
            swagger_favicon_url="/swagger/favicon-32x32.png",
            swagger_ui_parameters=PREFERENCES,
        )

    async def home() -> RedirectResponse:
        return RedirectResponse("/docs")

    app.add_api_route("/docs", page, include_in_schema=False)
    app.add_api_route("/", home, include_in_schema=False)
