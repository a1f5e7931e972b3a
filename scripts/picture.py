"""Make docs/images/district.png: the district page of a fresh demo, as the README shows it."""

import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

from shared.serving import loopback_socket

OUT = Path(__file__).parent.parent / "docs" / "images" / "district.png"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
DEADLINE = 60.0


def main() -> None:
    """Run the demo headless, serve its hub, take the picture."""
    command = [sys.executable, "-m", "commonground"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([*command, "demo", "--dir", str(folder), "--once"], check=True)
        free = loopback_socket(0)
        port = free.getsockname()[1]
        free.close()
        hub = subprocess.Popen([*command, "hub", "run", str(folder / "hub"), "--port", str(port)])
        try:
            _take(f"http://127.0.0.1:{port}/")
        finally:
            hub.terminate()
            hub.wait(timeout=10)


def _take(url: str) -> None:
    end = time.monotonic() + DEADLINE
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - loopback only
            break
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1024, "height": 900})
        page.goto(url)
        OUT.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=OUT)
        browser.close()


if __name__ == "__main__":
    main()
