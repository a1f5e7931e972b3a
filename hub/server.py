"""The running hub: the link for the schools, pages and API for people on this machine."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from hub import folder as hub_folder
from hub import settings, tuning
from hub.api import problems, schools, status, usage
from hub.explain import Explainer
from hub.inbox import HubInbox
from hub.link import HubLink, next_key
from hub.nightly import Nightly
from hub.pages import routes as pages
from hub.paths import Layout
from hub.silence import Listening
from hub.store.schema import MIGRATIONS
from hub.views import Views
from shared import guard, storage
from shared.courier import Courier
from shared.serving import LOOPBACK, loopback_socket

STOP_SECONDS = 1

_log = structlog.get_logger("hub")


def create_app(folder: Path) -> FastAPI:
    """Pages and API over a hub folder; `app.state.views` is their reader, for the caller to close."""
    app = FastAPI(
        title="Common Ground hub",
        version="1",
        summary="How a district's iPads are used for learning, with its doubt.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.views = Views(folder)
    app.state.explainer = Explainer.load(app.state.views.known, Layout(folder).fits)
    for router in (schools.router, usage.router, status.router, pages.router):
        app.include_router(router)
    pages.add_error_pages(app)
    problems.add(app)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(guard.HOSTS), www_redirect=False)
    app.add_middleware(guard.SecurityHeaders)
    return app


def run(layout: Layout, port: int | None = None) -> None:
    """Run until SIGINT or SIGTERM, pages on `port` (0: any free one) or the settings'.

    Raises BusyError when the folder, the port or the link's address is taken, SettingsError when no school
    could reach the link.
    """
    own = settings.load(layout)
    public = settings.advertised(own)
    port = own.page.port if port is None else port
    with ExitStack() as held:
        held.callback(storage.FolderLock(layout.folder, "hub").release)
        listener = held.enter_context(loopback_socket(port, "choose another with --port"))
        hub_folder.connect(layout).close()
        writer = storage.Writer(layout.database, MIGRATIONS)
        held.callback(writer.close)
        app = create_app(layout.folder)
        held.callback(app.state.views.close)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                lifespan="off",
                ws="none",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        held.enter_context(_stopping_on_signals(server))
        writer.run(tuning.for_groups)
        inbox = HubInbox(
            writer,
            known=app.state.views.known,
            next_key=next_key(layout, hub_folder.link_keys(layout).public),
        )
        held.callback(inbox.close)
        link = HubLink(layout, own.link.address, inbox, tuning.LIMITS)
        tuning.collect_rarely()
        link.start()
        held.callback(link.stop)
        pages_at = f"http://{LOOPBACK}:{listener.getsockname()[1]}/"
        _log.info("hub_runs", district=own.district, pages=pages_at, link=link.endpoint, public=public)
        nightly = Nightly(writer)
        nightly.start()
        held.callback(nightly.stop)
        for watching in (Listening(writer, own.notice), Courier(writer, own.notice, layout.folder)):
            watching.start()
            held.callback(watching.stop)
        server.run(sockets=[listener])
        _log.info("hub_stops")


@contextmanager
def _stopping_on_signals(server: uvicorn.Server) -> Iterator[None]:
    # uvicorn raises the signal again once it has stopped; with these handlers our own cleanup still runs.
    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
