"""ListeningSocket: the venue's listening socket; while it is closed the kernel refuses connections on its port."""

import contextlib
import socket
import ssl

from aiohttp import web

from venue.base.venue_errors import BadVenue
from venue.server.address import BACKLOG, bind


class ListeningSocket:
    """Listens after `open`. Established connections are not affected when it closes."""

    def __init__(
        self, runner: web.ServerRunner, listening: socket.socket, certificate: ssl.SSLContext | None, shutdown_s: float
    ) -> None:
        self.host, self.port = listening.getsockname()[:2]
        self._runner = runner
        self._listening: socket.socket | None = listening
        self._certificate = certificate
        self._shutdown_s = shutdown_s
        self._site: web.SockSite | None = None

    async def open(self) -> None:
        """Starts to listen. Raises BadVenue if another process uses the port by now."""
        listening = self._listening or bind(self.host, self.port, None)
        self._listening = None
        self._site = web.SockSite(
            self._runner, listening, ssl_context=self._certificate, shutdown_timeout=self._shutdown_s, backlog=BACKLOG
        )
        await self._site.start()

    async def set_refusing(self, is_refusing: bool) -> None:
        """Closes the socket or opens it again. A port in use is tried again at the next call."""
        if is_refusing and self._site is not None:
            site, self._site = self._site, None
            await site.stop()
        elif not is_refusing and self._site is None:
            with contextlib.suppress(BadVenue):
                await self.open()
