"""https and wss: by a certificate of files, and by one that `tickbus venue --tls` makes."""

import asyncio
import json
import ssl
import stat
import subprocess
import sys

import aiohttp
import pytest

from venue.base.venue_errors import BadVenue
from venue.server import tls

pytestmark = pytest.mark.process


def test_a_run_makes_its_own_certificate_and_serves_by_it(tmp_path, venue_client, stop_after):
    run_file = tmp_path / "run.toml"
    run_file.write_text(f'[venue]\naddress_file = "{tmp_path}/address.json"\n')
    command = [sys.executable, "-m", "tickbus.main", "venue", "--tls", "--run", run_file, "--dir", tmp_path / "run"]
    process = stop_after(subprocess.Popen(command))
    one = venue_client(tmp_path, process)
    assert (one.http.partition("://")[0], one.ws.partition("://")[0]) == ("https", "wss")
    cert = tmp_path / "run" / tls.CERT_FILE
    assert stat.S_IMODE((tmp_path / "run" / tls.KEY_FILE).stat().st_mode) == 0o600
    one.trusted = ssl.create_default_context(cafile=cert)
    assert one.call("GET", "/api/v3/ping") == {}
    assert one.signed("GET", "account")[0] == 200

    async def first_event():
        url = one.ws + "/ws"
        async with aiohttp.ClientSession() as session, session.ws_connect(url, ssl=one.trusted) as ws:
            await ws.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
            requested = json.loads((await ws.receive(5)).data)
            process.terminate()
            return requested, json.loads((await ws.receive(5)).data)

    requested, gone = asyncio.run(first_event())
    assert requested == {"result": [], "id": 1}
    assert gone["e"] == "serverShutdown"
    assert process.wait(10) == 0


def test_files_that_are_no_certificate_are_refused_at_the_start(tmp_path):
    cert, key = tls.own_certificate(tmp_path, "127.0.0.1", 1_700_000_000 * 10**9)
    assert tls.context(str(cert), str(key)) is not None
    assert tls.context(None, None) is None
    with pytest.raises(BadVenue, match="must both be set, or neither"):
        tls.context(str(cert), None)
    for bad in (str(tmp_path / "none"), str(cert)):
        with pytest.raises(BadVenue, match="set a PEM certificate and its key"):
            tls.context(str(cert), bad)
