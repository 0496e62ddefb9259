"""The reading page in a real Chromium, timed from inside the page; and Cornerstone3D on the same images.

The probe is injected into the page and changes none of its scripts: it records when a verdict key went down, when
the image's canvas was drawn after that, and when the server had acknowledged the verdict. An image counts as
painted at the animation frame after the one that drew it.
"""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

HOME = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PROBE = """
(() => {
  const probe = { armed: false, key: 0, painted: [], acknowledged: [], frames: [], drawn: 0 };
  Object.defineProperty(window, "__probe", { value: probe });
  addEventListener("keydown", (event) => {
    if (/^[123]$/.test(event.key) && document.body.dataset.state === "ready")
      Object.assign(probe, { armed: true, key: event.timeStamp });
  }, true);
  const noted = (canvas) => {
    if (!canvas.dataset?.panel) return;
    probe.drawn++;
    if (probe.step && !probe.first) requestAnimationFrame((now) => (probe.first ||= now));
    if (!probe.armed) return;
    probe.armed = false;
    const { key } = probe;
    requestAnimationFrame((now) => probe.painted.push(now - key));
  };
  for (const [type, names] of [
    [CanvasRenderingContext2D, ["drawImage", "putImageData"]],
    [WebGL2RenderingContext, ["drawArrays", "drawElements"]],
  ])
    for (const name of names) {
      const own = type.prototype[name];
      type.prototype[name] = function (...rest) {
        noted(this.canvas);
        return own.apply(this, rest);
      };
    }
  const plain = window.fetch;
  window.fetch = async (...rest) => {
    const { key } = probe;
    const reply = await plain(...rest);
    if (String(rest[0]).includes("/verdicts/")) probe.acknowledged.push(performance.now() - key);
    if (String(rest[0]).includes("/open/")) probe.step ||= performance.now();
    return reply;
  };
})();
"""
# Change the window in every animation frame, for this number of frames; return milliseconds per drawn frame.
WINDOWING = """async (frames) => {
  const next = () => new Promise(requestAnimationFrame);
  const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", { key, code: key, bubbles: true }));
  for (let i = 0; i < 20; i++) { press("ArrowUp"); await next(); }
  const before = window.__probe.drawn;
  const start = await next();
  let now = start;
  for (let i = 0; i < frames; i++) { press(i % 60 < 30 ? "ArrowUp" : "ArrowDown"); now = await next(); }
  return [(now - start) / frames, window.__probe.drawn - before];
}"""


@contextmanager
def browser() -> Iterator[Any]:
    """Yield Chromium; its method `own_processes` returns its processes."""
    from playwright.sync_api import sync_playwright

    if not Path(CHROMIUM).exists():
        sys.exit(f"This benchmark needs Debian's chromium at {CHROMIUM}: run `make setup-test` first.")
    before = set(psutil.Process().children(recursive=True))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened.own_processes = lambda: set(psutil.Process().children(recursive=True)) - before
        yield opened
        opened.close()


@contextmanager
def served() -> Iterator[str]:
    """Serve the application as `make run` does, on a free port; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "readerstudy.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=HOME, env=os.environ)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait()


def signed_in(opened: Any, address: str, reader: Any, size: tuple[int, int]) -> Any:
    """Return a page on which the reader is signed in, with the probe."""
    from django.test import Client

    client = Client()
    client.force_login(reader)
    context = opened.new_context(viewport={"width": size[0], "height": size[1]})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
    context.add_init_script(PROBE)
    page = context.new_page()
    page.set_default_timeout(60_000)
    return page


def fit_canvas(page: Any, width: int, height: int) -> None:
    """Resize the window until the image's canvas has exactly this size."""
    for _ in range(3):
        box = page.locator("canvas[data-panel]").first.bounding_box()
        size = page.viewport_size
        page.set_viewport_size(
            {
                "width": size["width"] + width - round(box["width"]),
                "height": size["height"] + height - round(box["height"]),
            }
        )
        page.wait_for_timeout(300)
    box = page.locator("canvas[data-panel]").first.bounding_box()
    assert (round(box["width"]), round(box["height"])) == (width, height), box


def read_on(page: Any, images: int, watch: Any) -> tuple[list[float], list[float]]:
    """Press "1" on each of `images` images; return milliseconds from key to painted and from key to acknowledged."""
    for position in range(1, images + 1):
        page.wait_for_selector(f'body[data-position="{position}"][data-state="ready"]')
        page.keyboard.press("1")
        watch(position)
    page.wait_for_selector(f'body[data-position="{images + 1}"][data-state="ready"]')
    painted, acknowledged = page.evaluate("[window.__probe.painted, window.__probe.acknowledged]")
    assert len(painted) >= images, f"{len(painted)} of {images} images were drawn"
    return painted[:images], acknowledged[:images]


def reloads(page: Any, times: int) -> list[float]:
    """Return milliseconds from the step's answer to the image painted, after a reload: nothing is prefetched."""
    spent = []
    for _ in range(times):
        page.reload()
        page.wait_for_selector('body[data-state="ready"]')
        spent.append(page.evaluate("window.__probe.first - window.__probe.step"))
    return spent


def window_frame(page: Any, width: int, height: int, frames: int = 240) -> float:
    """Return milliseconds per frame while the window changes in every frame."""
    fit_canvas(page, width, height)
    per_frame, drawn = page.evaluate(WINDOWING, frames)
    assert drawn >= 0.95 * frames, f"only {drawn} of {frames} frames were drawn"
    return float(per_frame)


def tab_megabytes(opened: Any) -> float:
    """Return the resident memory of the largest renderer process, which is the tab, in MB."""
    sizes = [0]
    for process in opened.own_processes():
        try:
            if any("--type=renderer" in part for part in process.cmdline()):
                sizes.append(process.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return max(sizes) / 2**20


# --- Cornerstone3D ------------------------------------------------------------------------------------------
YARDSTICK_PAGE = """<!doctype html><meta charset="utf-8"><title>Yardstick</title>
<style>body{margin:0;background:#000}#stage{width:WIDTHpx;height:HEIGHTpx}</style><div id="stage"></div>
<script type="module">
import "./main.js";
import { decodePng16 } from "./png16.js";
const fetched = async (n) => decodePng16(await (await fetch(`${n}.png`)).arrayBuffer());
const next = () => new Promise(requestAnimationFrame);
const WINDOW = { lower: 2000, upper: 40000 };
window.prepare = async (cpu, count) => {
  await yardstick.start(document.querySelector("#stage"), cpu);
  for (let n = 0; n < count; n++) await yardstick.hold(String(n), await fetched(n));
  await yardstick.show("0", WINDOW);
};
window.turn = async (times, count) => {
  const spent = [];
  for (let i = 1; i <= times; i++) {
    await new Promise((resolve) => setTimeout(resolve, 60 + (i * 7) % 17));
    const pressed = performance.now();
    await yardstick.show(String(i % count), WINDOW);
    spent.push((await next()) - pressed);
  }
  return spent;
};
window.windowing = async (frames) => {
  let rendered = 0;
  const stage = document.querySelector("#stage");
  stage.addEventListener("CORNERSTONE_IMAGE_RENDERED", () => rendered++);
  const change = (i) => yardstick.setWindow({ lower: 2000 + (i % 60) * 50, upper: 40000 });
  for (let i = 0; i < 20; i++) { change(i); await next(); }
  rendered = 0;
  const start = await next();
  let now = start;
  for (let i = 0; rendered < frames && now - start < 60000; i++) { change(i); now = await next(); }
  return (now - start) / rendered;
};
</script>"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Log nothing."""


def cornerstone(opened: Any, files: Sequence[bytes], size: tuple[int, int], *, cpu: bool) -> tuple[float, float]:
    """Return the median milliseconds from requesting a cached image to painted, and per frame of windowing."""
    folder = build_yardstick()
    for number, content in enumerate(files):
        (folder / f"{number}.png").write_bytes(content)
    shutil.copy(HOME / "static" / "reading" / "viewer" / "png16.js", folder / "png16.js")
    page_text = YARDSTICK_PAGE.replace("WIDTH", str(size[0])).replace("HEIGHT", str(size[1]))
    (folder / "index.html").write_text(page_text)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        page = opened.new_page(viewport={"width": size[0], "height": size[1]})
        page.set_default_timeout(120_000)
        page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
        page.evaluate("([cpu, count]) => window.prepare(cpu, count)", [cpu, len(files)])
        turned = page.evaluate("([times, count]) => window.turn(times, count)", [40, len(files)])
        per_frame = page.evaluate("(frames) => window.windowing(frames)", 120)
        page.close()
        return float(np.median(turned)), float(per_frame)
    finally:
        server.shutdown()
        server.server_close()


def build_yardstick() -> Path:
    """Bundle Cornerstone3D once, installed by npm from its lock file; return the folder."""
    folder = HOME / "var" / "bench" / "cornerstone"
    sources = HOME / "tests" / "bench" / "cornerstone"
    if (folder / "main.js").exists() and (folder / "main.js").stat().st_mtime > (sources / "main.js").stat().st_mtime:
        return folder
    npm = shutil.which("npm")
    if not npm:
        sys.exit("Cornerstone3D is built with npm: install Node.js (apt-get install nodejs npm) and run this again.")
    for command in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
        subprocess.run([npm, *command], cwd=sources, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder
